"""What is served as the agent is one file, always the same, that an old Python runs without anything installed."""

import ast
import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from strongroom.runtime import zipapp
from tests.agent.site import PYTHON, SCRIPTS, Server, Site

OLDEST = (3, 9)
SOURCE = Path(__file__).parents[2] / "src"
CARRIED = {
    "strongroom/__init__.py",
    *(f"strongroom/core/{name}.py" for name in ("__init__", "machine", "sigv4")),
}


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(zipapp.build())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_is_the_same_whenever_it_is_built() -> None:
    # Another process, with its own order of sets and dictionaries.
    script = "import sys; from strongroom.runtime import zipapp; sys.stdout.buffer.write(zipapp.build())"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    assert hashlib.sha256(other).hexdigest() == hashlib.sha256(zipapp.build()).hexdigest()
    with zipfile.ZipFile(io.BytesIO(other)) as archive:
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def modules() -> dict[str, bytes]:
    """What is Python; the rest is the drives' module for Windows."""
    return {name: content for name, content in members().items() if not name.startswith("powershell/")}


def test_nothing_of_the_control_plane_is_in_it() -> None:
    names = set(modules())
    parts = (SOURCE / "strongroom" / part for part in ("agent", "movers"))
    assert names == {"__main__.py"} | CARRIED | {
        path.relative_to(SOURCE).as_posix() for part in parts for path in part.glob("*.py")
    }


@pytest.mark.parametrize("name", sorted(modules()))
def test_every_module_is_of_the_oldest_python_and_imports_what_is_there(name: str) -> None:
    tree = ast.parse(modules()[name], name, feature_version=OLDEST)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, name
            imported = [node.module or ""]
        else:
            continue
        for each in imported:
            assert each.split(".")[0] in sys.stdlib_module_names or each.startswith("strongroom"), each


def test_no_module_uses_what_came_to_the_library_after_the_oldest_python(tmp_path: Path) -> None:
    for name, content in modules().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    command = [str(SCRIPTS / "vermin"), "--violations", "--no-tips", "-t=3.9-", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_it_runs_with_nothing_but_python(tmp_path: Path) -> None:
    program = tmp_path / "strongroom.pyz"
    program.write_bytes(zipapp.build())
    script = (
        "import runpy, sys\n"
        "sys.argv = [sys.argv[1], '--version']\n"
        "try:\n"
        "    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit:\n"
        "    pass\n"
        "print({each.split('.')[0] for each in sys.modules} - set(sys.builtin_module_names))\n"
    )
    done = subprocess.run([PYTHON, "-I", "-S", "-c", script, str(program)], capture_output=True, text=True)
    assert done.stdout.startswith("strongroom agent "), done.stderr
    loaded = ast.literal_eval(done.stdout.splitlines()[1])
    assert not {"django", "httpx", "cryptography", "click", "site", "sqlite3"} & loaded


# --- install.sh

_ALONE = """
set -e
for folder in /usr/local /etc /var/lib; do
    mkdir -p "$ROOM$folder/new" "$ROOM$folder/work"
    mount -t overlay overlay -o "lowerdir=$folder,upperdir=$ROOM$folder/new,workdir=$ROOM$folder/work" "$folder"
done
cd /
set +e
"""


def installed(place: Site, room: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Run as root of the machine, where nothing that is written outlives the script."""
    disk = room / "disk"
    disk.mkdir()
    command = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        f"mount -t tmpfs tmpfs {disk}\n{_ALONE}{script}",
    ]
    return place.machine.run(*command, environ=place.environ(ROOM=str(disk)))


def join_command(place: Site, server: Server) -> str:
    """As the control plane prints it, without sudo, which a container has not, and without systemd's part."""
    printed = place.system.owner.post(f"/servers/{server.id}/rejoin")["join_command"]
    return str(printed).replace("sudo ", "") + " --no-start"


def test_the_printed_command_installs_the_agent_and_joins(fresh: Server, place: Site, tmp_path: Path) -> None:
    script = f"{join_command(place, fresh)} --user nobody; echo rc $?\n"
    script += "alias strongroom=/usr/local/bin/strongroom\n"
    script += "strongroom --version; strongroom status; echo rc $?; strongroom install --print\n"
    script += "stat -c '%a %n' /usr/local/bin/strongroom /usr/local/lib/strongroom/strongroom.pyz /var/lib/strongroom\n"
    script += "cat /etc/strongroom/agent.json; ls /tmp/strongroom.* 2>&1\n"
    done = installed(place, tmp_path, script)
    assert f"is now the server “{fresh.name}”" in done.stdout, done
    assert "rc 0" in done.stdout and "The agent is not running." in done.stdout and "rc 4" in done.stdout
    assert "755 /usr/local/bin/strongroom\n644 /usr/local/lib/strongroom/strongroom.pyz\n700 /var/lib" in done.stdout
    assert "-I -S /usr/local/lib/strongroom/strongroom.pyz run\n" in done.stdout
    assert '"nobody"' in done.stdout and "No such file" in done.stdout
    assert fresh.show()["state"] == "active"
    assert not Path("/usr/local/lib/strongroom").exists()


def test_an_agent_that_is_not_the_stewards_is_not_installed(fresh: Server, place: Site, tmp_path: Path) -> None:
    command = join_command(place, fresh)
    sha256 = command.partition("--sha256 ")[2].split()[0]
    script = command.replace(sha256, "0" * 64) + "; echo rc $?; ls /usr/local/bin/strongroom\n"
    done = installed(place, tmp_path, script)
    assert f"The agent that came has the SHA-256 {sha256}, not {'0' * 64}" in done.stderr
    assert "rc 1" in done.stdout and "/usr/local/bin/strongroom" not in done.stdout
    assert fresh.show()["state"] == "joining"


def test_what_the_machine_lacks_is_said_before_anything_is_changed(fresh: Server, place: Site, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "id", "curl", "dirname", "mktemp", "rm", "printf", "sudo"):
        found = next((each for each in (Path("/usr/bin") / name, Path("/bin") / name) if each.exists()), None)
        if found is not None:
            (programs / name).symlink_to(found)
    command = join_command(place, fresh)
    script = f"PATH={programs}; {command}\n"
    script += f"ln -s $(command -v ssh-keygen || echo /usr/bin/ssh-keygen) {programs}/ssh-keygen; {command}\n"
    done = installed(place, tmp_path, script.replace("ln -s", "/bin/ln -s"))
    assert "ssh-keygen is missing" in done.stderr and "Python 3.9 or newer is missing" in done.stderr, done
    assert fresh.show()["state"] == "joining"


def test_a_download_that_breaks_off_does_nothing() -> None:
    script = (SOURCE / "strongroom" / "agent" / "install.sh").read_text()
    for cut in range(200, len(script) - 12, 211):
        done = subprocess.run(
            ["/bin/sh"], input=script[:cut], capture_output=True, text=True, cwd="/", env={"PATH": ""}
        )
        assert done.stdout == "" and "install:" not in done.stderr


def test_systemd_finds_nothing_wrong_with_the_unit(fresh: Server, tmp_path: Path) -> None:
    fresh.configure()
    unit = tmp_path / "strongroom.service"
    unit.write_text(fresh.run("install", "--print").stdout)
    assert f"ExecStart={PYTHON} -I -S {fresh.site.program} run --config" in unit.read_text()
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert done.stderr == "" and done.returncode == 0


def test_a_machine_without_systemd_is_told_what_to_do_instead(fresh: Server, place: Site, tmp_path: Path) -> None:
    done = installed(place, tmp_path, f"mount -t tmpfs tmpfs /run; {' '.join(fresh.command('install'))}\n")
    assert "does not run systemd. Have whatever starts its services run `strongroom run`" in done.stderr
