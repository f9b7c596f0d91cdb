"""The reference story on a machine that the institution already runs, from joining to mounting again."""

from collections.abc import Iterator

import pytest

from tests.journeys.api import Api, Study
from tests.journeys.desk import Desk
from tests.journeys.enrolled import Enrolled, enrolled

NOBODY = 65534


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enrolled]:
    """Joined, with nothing granted."""
    with enrolled(tmp_path_factory.mktemp("enrolled")) as made:
        made.join(made.system.owner, made.system.space_id)
        yield made


def finalized(machine: Enrolled, **fields: object) -> Study:
    """A finalized data set with three files."""
    study = machine.system.uploaded(**fields)
    machine.system.finalized(study)
    return study


def grant(machine: Enrolled, study: Study) -> None:
    """Provision access, and wait until the agent has heard of it."""
    study.api.post(f"{study.path}/grants", server_id=machine.server_id)
    machine.knows(study)


def revoke(machine: Enrolled, study: Study) -> None:
    """Take it away."""
    study.api.delete(f"{study.path}/grants/{machine.server_id}")


def endpoint(study: Study) -> str:
    return f"--endpoint-url {study.endpoint}"


def test_a_joined_machine_shows_who_it_is(machine: Enrolled) -> None:
    shown = machine.shown(machine.system.owner)
    assert shown["state"] == "active"
    assert shown["address"] == machine.cable.address
    assert machine.name in machine.ok("strongroom status")


def test_an_original_is_read_with_no_configured_key_and_never_written(machine: Enrolled) -> None:
    study = finalized(machine)
    aws = f"aws {endpoint(study)} s3"
    machine.refused(f"{aws} ls s3://{study.repository}", says="AccessDenied")
    grant(machine, study)
    assert "0.csv" in machine.ok(f"{aws} ls s3://{study.repository}/first/")
    assert machine.ok(f"{aws} cp s3://{study.repository}/first/1.csv -") == "row 1\n"
    machine.refused(f"echo no | {aws} cp - s3://{study.repository}/first/1.csv", says="AccessDenied")
    machine.refused(f"{aws} rm s3://{study.repository}/first/1.csv", says="AccessDenied")
    remote = f":s3,provider=Other,env_auth=true,no_check_bucket=true,endpoint='{study.endpoint}':{study.repository}"
    assert machine.ok(f'rclone cat "{remote}/first/2.csv"') == "row 2\n"
    machine.refused(f'echo no | rclone rcat --retries 1 --low-level-retries 1 "{remote}/first/2.csv"')
    assert machine.ok(_BOTO3 % (study.endpoint, study.repository)) == "row 0\n"
    machine.refused(f"{aws} ls s3://{study.repository}", user=NOBODY)


def test_the_mount_of_the_reference_page(machine: Enrolled) -> None:
    study = finalized(machine)
    grant(machine, study)
    mounted = _mounted_by_s3fs(machine, study)
    assert "256T" in mounted or "s3fs" in mounted
    assert machine.ok("cat /srv/mnt/first/1.csv", user=NOBODY) == "row 1\n"
    # s3fs tells the shell's `>` nothing; `cp` looks at what closing the file says.
    machine.refused("cp /etc/hostname /srv/mnt/first/new.csv")
    assert "first/new.csv" not in machine.system.listing(study.repository)
    machine.umount("/srv/mnt")


def test_revoked_while_reading_and_mounted_again_after_a_new_grant(machine: Enrolled) -> None:
    study = finalized(machine)
    grant(machine, study)
    machine.ok(f"mkdir -p /srv/one && strongroom mount {study.repository} /srv/one")
    assert machine.ok("cat /srv/one/first/0.csv", user=NOBODY) == "row 0\n"
    machine.refused("touch /srv/one/first/new.csv", says="Read-only")
    revoke(machine, study)
    machine.refused("cat /srv/one/first/1.csv")
    machine.knows(study, is_granted=False)
    machine.run("strongroom umount /srv/one --force")
    said = machine.refused(f"strongroom mount {study.repository} /srv/one")
    assert "grant" in said.lower() or "revoked" in said.lower(), said
    grant(machine, study)
    machine.ok(f"strongroom mount {study.repository} /srv/one")
    assert machine.ok("cat /srv/one/first/1.csv") == "row 1\n"
    machine.ok("strongroom umount /srv/one")


def test_a_derivative_is_worked_in_but_for_its_attachments(machine: Enrolled) -> None:
    owner: Api = machine.system.owner
    study = machine.system.uploaded(kind="derivative", external_source="The registry, 2019")
    owner.attach(f"{study.path}/attachments", "dua.pdf", b"%PDF-1.7 agreed", kind="data-use-agreement", title="Terms")
    machine.system.finalized(study)
    grant(machine, study)
    aws = f"aws {endpoint(study)} s3"
    machine.ok(f"echo result | {aws} cp - s3://{study.repository}/results/a.txt")
    machine.ok(f"mkdir -p /srv/two && strongroom mount {study.repository} /srv/two")
    assert machine.ok("cat /srv/two/results/a.txt", user=NOBODY) == "result\n"
    machine.ok("cp /etc/hostname /srv/two/results/b.txt && rm /srv/two/first/0.csv && ls /srv/two/_attachments")
    attached = machine.ok(f"{aws} ls s3://{study.repository}/_attachments/").split()[-1]
    machine.refused(f"{aws} rm s3://{study.repository}/_attachments/{attached}", says="AccessDenied")
    machine.ok("strongroom umount /srv/two")
    keys = machine.system.listing(study.repository)
    assert "results/b.txt" in keys
    assert "first/0.csv" not in keys


def test_somebody_logs_in_with_a_second_factor_and_works_in_what_root_mounted(machine: Enrolled) -> None:
    study = finalized(machine)
    grant(machine, study)
    machine.ok(f"mkdir -p /srv/three && strongroom mount {study.repository} /srv/three")
    machine.takes_logins()
    desk = Desk(machine.system, machine.system.owner, "desk", server=machine.name)
    assert "mfa enrol" in desk.shell("true").stderr
    desk.enrol()
    machine.system.until(lambda: desk.shell("true").returncode == 0, "their account", more=machine.log)
    assert desk.there("cat /srv/three/first/1.csv") == "row 1\n"
    assert desk.shell("touch /srv/three/new").returncode != 0
    assert desk.shell("strongroom credentials").returncode != 0, "root chose nobody"
    machine.ok("strongroom umount /srv/three")


_BOTO3 = """python3 - <<'P'
import boto3
print(boto3.client("s3", endpoint_url="%s", region_name="us-east-1").get_object(
    Bucket="%s", Key="first/0.csv")["Body"].read().decode(), end="")
P"""


def _mounted_by_s3fs(machine: Enrolled, study: Study) -> str:
    """The page's own command, with the endpoint added; what `df` says."""
    options = f"-o url={study.endpoint},use_path_request_style"
    command = f"s3fs -o iam_role=auto -o allow_other -o umask=002,uid=0 {options} {study.repository} /srv/mnt"
    machine.ok(f"mkdir -p /srv/mnt && {command}")
    machine.system.until(lambda: machine.run("mountpoint -q /srv/mnt").returncode == 0, "s3fs", more=machine.log)
    return machine.ok("df -h /srv/mnt")
