"""What is looked at before the start: each thing that is wrong is named with the way out."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom.core.errors import Conflict, Invalid, Unavailable
from strongroom.runtime import checks


def test_a_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "a" / "var"
    checks.prepare_home(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_an_empty_folder_made_by_hand_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    checks.prepare_home(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_home_with_secrets_that_others_may_look_into_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    tmp_path.chmod(0o755)
    with pytest.raises(Conflict, match=f"chmod 700 {tmp_path}"):
        checks.prepare_home(tmp_path)


@pytest.mark.parametrize("home", ["/proc/strongroom", "/dev/null/var"])
def test_a_home_that_cannot_be_made_is_refused(home: str) -> None:
    with pytest.raises(Conflict, match="STRONGROOM_HOME"):
        checks.prepare_home(Path(home))


def test_somebody_elses_home_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(Conflict, match="belongs to user"):
        checks.prepare_home(tmp_path)


def test_a_python_that_is_too_old_is_refused() -> None:
    with pytest.raises(Unavailable, match=r"needs Python 3\.11 or newer; this is 3\.10"):
        checks.check_python((3, 10))


def test_a_full_disk_is_refused(tmp_path: Path) -> None:
    checks.check_disk(tmp_path, 1)
    with pytest.raises(Unavailable, match="STRONGROOM_DISK_RESERVE_BYTES"):
        checks.check_disk(tmp_path, 10**18)


def test_a_second_holder_of_a_home_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    held = checks.take_home(tmp_path, "http://127.0.0.1:8400")
    with pytest.raises(Conflict, match=f"process {os.getpid()} at http://127.0.0.1:8400"):
        checks.take_home(tmp_path, "http://127.0.0.1:8500")
    held.close()
    checks.take_home(tmp_path, "http://127.0.0.1:8500").close()


def test_a_holder_that_is_killed_no_longer_holds(tmp_path: Path) -> None:
    program = "import sys,time,pathlib;from strongroom.runtime import checks\n"
    program += "held = checks.take_home(pathlib.Path(sys.argv[1]), 'x'); print('held', flush=True); time.sleep(300)"
    holder = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Conflict, match=f"process {holder.pid}"):
        checks.take_home(tmp_path, "y")
    holder.kill()
    holder.communicate()
    checks.take_home(tmp_path, "y").close()


def test_a_taken_port_is_named_with_its_part_and_a_setting_that_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = checks.Port("127.0.0.1", port, "web", "STRONGROOM_WEB_PORT")
        with pytest.raises(Conflict, match=rf"Port {port} \(web\) is taken.*STRONGROOM_WEB_PORT=\d+") as refusal:
            checks.check_ports([taken], patience_seconds=0)
    offered = int(str(refusal.value).rsplit("=", 1)[1])
    checks.check_ports([checks.Port("127.0.0.1", offered, "web", "STRONGROOM_WEB_PORT")])


def test_a_port_taken_on_all_addresses_is_taken_on_one() -> None:
    with socket.create_server(("", 0)) as other:
        taken = checks.Port("127.0.0.1", other.getsockname()[1], "web", "STRONGROOM_WEB_PORT")
        with pytest.raises(Conflict):
            checks.check_ports([taken], patience_seconds=0)


@pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(Invalid, match="STRONGROOM_WEB_PORT"):
        checks.check_ports([checks.Port(host, 8400, "web", "STRONGROOM_WEB_PORT")])
