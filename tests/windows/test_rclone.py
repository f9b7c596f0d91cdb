"""The configuration that the module writes for rclone, given to the real rclone on a real engine."""
import subprocess, time
from tests.windows.conftest import SERVER, Agent, Dataset
from tests.windows.drives import Drive

from strongroom.core.vocabulary import Kind
def sh(c):
    r=subprocess.run(["sh","-c",c],capture_output=True,text=True); print(c, r.returncode, r.stdout[-300:], r.stderr[-300:])

def test_spike(dataset: Dataset, listening: Agent, drive: Drive) -> None:
    dataset.grant(Kind.DERIVATIVE, SERVER)
    drive.is_read_only = False
    with drive.mounted() as m:
        sh(f"ls -la {m}; cat {m}/scores.csv; echo hi > {m}/new.txt; echo $?; cat {m}/new.txt; echo more >> {m}/new.txt; mv {m}/new.txt {m}/n2.txt; cat {m}/n2.txt; rm {m}/n2.txt")
        sh(f"cat {m}/_attachments/dua.pdf; echo x > {m}/_attachments/y; echo x > {m}/_attachments/dua.pdf")
        dataset.grant(Kind.DERIVATIVE)
        t=time.time()
        sh(f"cat {m}/scores.csv; ls {m}; echo lost > {m}/lost.txt; echo rc $?; cp /etc/hostname {m}/lost2.txt; echo rc $?; ls {m}")
        print(time.time()-t)
        try:
            with open(f"{m}/py.txt","w") as f: f.write("x")
        except OSError as e: print("py", e)
        try:
            with open(f"{m}/py.txt","w") as f: f.write("x"*5_000_000)
        except OSError as e: print("py", e)
        time.sleep(2)
        dataset.grant(Kind.DERIVATIVE, SERVER)
        time.sleep(6)
        sh(f"ls -la {m}; cat {m}/scores.csv")
    print(drive.log.read_text())
    print([o["Key"] for o in dataset.running.client().list_objects_v2(Bucket=dataset.repository)["Contents"]])
    with drive.mounted() as m:
        time.sleep(5)
        sh(f"ls -la {m}; cat {m}/scores.csv")
    print([o["Key"] for o in dataset.running.client().list_objects_v2(Bucket=dataset.repository)["Contents"]])
