"""The agent's file as a Windows machine gets it, and the agent where what Windows lacks is missing."""

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.windows.powershell import MODULE

from strongroom.actions.software import Download
from strongroom.agent import drives
from strongroom.core.vocabulary import MountTool
from strongroom.runtime import zipapp

AGENT = Path(zipapp.__file__).parents[1] / "agent"
# Source: the documentation of these modules, "Availability: not Windows"; CPython defines no AF_UNIX on Windows.
# The standard library is that of this machine, so it is loaded first.
STANDARD = """
import argparse, ctypes, http.client, http.server, importlib, ipaddress, json, os, pathlib, platform, random, shlex
import shutil, signal, socket, socketserver, ssl, subprocess, sys, tempfile, threading, urllib.request
"""
AS_ON_WINDOWS = f"""{STANDARD}
for name in ("fcntl", "grp", "pwd", "resource", "termios", "spwd", "syslog"):
    sys.modules[name] = None
for name in ("AF_UNIX", "SO_PEERCRED", "AF_NETLINK"):
    if hasattr(socket, name):
        delattr(socket, name)
sys.platform = "win32"
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    if path.stem != "__main__":
        importlib.import_module("strongroom.agent." + path.stem)
"""


def run(program: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60)


def test_every_part_of_the_agent_is_imported_where_unix_is_missing() -> None:
    done = run(AS_ON_WINDOWS, str(AGENT))
    assert done.returncode == 0, done.stderr


def test_the_agents_file_carries_the_whole_module_for_drives() -> None:
    with zipfile.ZipFile(io.BytesIO(zipapp.files()[Download.AGENT])) as archive:
        carried = {name for name in archive.namelist() if name.startswith("powershell/")}
        expected = {f"powershell/Strongroom/{path.relative_to(MODULE)}" for path in MODULE.rglob("*.*")}
        assert carried == expected
        name = "powershell/Strongroom/drive.json"
        assert archive.read(name) == (MODULE / "drive.json").read_bytes()


def test_the_installer_unpacks_with_python_what_it_then_copies(tmp_path: Path) -> None:
    agent = tmp_path / "strongroom.pyz"
    agent.write_bytes(zipapp.files()[Download.AGENT])
    subprocess.run([sys.executable, "-I", "-m", "zipfile", "-e", agent, tmp_path / "unpacked"], check=True)
    assert (tmp_path / "unpacked" / "powershell" / "Strongroom" / "Strongroom.psd1").exists()
    text = (AGENT / "install.ps1").read_text()
    assert "-I -m zipfile -e $Agent $unpacked" in text and r"powershell\Strongroom" in text


def test_the_installer_checks_the_hash_before_anything_of_the_file_runs() -> None:
    text = (AGENT / "install.ps1").read_text()
    receive = text.partition("function Receive-Agent")[2].partition("\nfunction ")[0]
    assert receive.index("Get-FileHash") < receive.index("throw") < receive.index("Move-Item")
    assert text.index("$agent = Receive-Agent") < text.index("$python $words") < text.index("\nInstall-DriveModule")
    assert re.fullmatch(r"[0-9a-f]{64}", hashlib.sha256(zipapp.files()[Download.AGENT]).hexdigest())


def test_the_installer_and_the_module_look_where_the_agent_of_windows_keeps_things() -> None:
    places = f"""{STANDARD}
os.environ["PROGRAMDATA"] = "C:/ProgramData"
sys.platform = "win32"
from strongroom.agent import config, containers
made = config.Config()
print(made.state, made.credentials_port, containers.PATH, containers.windows_file(made), made.file)
"""
    state, port, path, token, file = run(places).stdout.split()
    assert (state, file) == ("C:/ProgramData/Strongroom/state", "C:/ProgramData/Strongroom/agent.json")
    read = (MODULE / "Private" / "Get-StrongroomAgent.ps1").read_text()
    assert f"-Default {port}" in read and f'"http://127.0.0.1:$port{path}"' in read
    for name in ("granted.json", "identity.json", Path(token).name, "agent.json"):
        assert f"'{name}'" in read
    install = (AGENT / "install.ps1").read_text()
    assert f"http://127.0.0.1:{port}{path}" in install
    assert rf"'state\{Path(token).name}'" in install


def test_the_agent_reports_each_drive_as_the_module_wrote_it_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = (MODULE / "Private" / "Write-DriveRecord.ps1").read_text().partition("[ordered] @{")[2].partition("}")[0]
    keys = re.findall(r"^\s+(\w+)\s+=", written, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    for letter, is_read_only in (("Y", True), ("Z", False)):
        record = {**dict.fromkeys(keys, ""), "drive_letter": letter, "bucket": f"dataset-test-{letter.lower()}"}
        (tmp_path / f"{letter}.json").write_text(json.dumps({**record, "is_read_only": is_read_only}))
    (tmp_path / "X.json").write_text('{"drive_letter": "X"}')  # half written
    (tmp_path / "Z:\\").mkdir()
    told = [
        {key: each[key] for key in ("path", "repository", "is_read_only", "health")} for each in drives.report(tmp_path)
    ]
    assert told == [
        {"path": "Y:\\", "repository": "dataset-test-y", "is_read_only": True, "health": "missing"},
        {"path": "Z:\\", "repository": "dataset-test-z", "is_read_only": False, "health": "ok"},
    ]
    assert {each["tool"] for each in drives.report(tmp_path)} <= set(MountTool)
