"""What a command brings in when it starts: what it needs, and no other command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_ASK = """
import sys
from strongroom.cli.main import main
try:
    main(prog_name="strongroom")
finally:
    print(*sys.modules, file=sys.stderr)
"""

_EACH_ALONE = """
import json, os, sys
import click
from strongroom.cli.main import _NOUNS, commands, main

alone = {}
for noun in _NOUNS:
    reader, writer = os.pipe()
    if not os.fork():
        os.write(writer, json.dumps(list(main.get_command(click.Context(main), noun).commands)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        alone[noun] = json.load(said)
    os.wait()
print(json.dumps([alone, {noun: list(commands()[noun].commands) for noun in _NOUNS}]))
"""


def test_a_noun_has_all_its_commands_when_it_alone_is_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", _EACH_ALONE], capture_output=True, text=True, check=True)
    alone, among_all = json.loads(done.stdout)
    assert alone == among_all and len(alone) > 15


def _imported(*words: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", _ASK, *words], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_a_command_does_not_wait_for_the_others() -> None:
    imported = _imported("dataset", "list", "--help")
    assert {"strongroom.cli.commands.datasets", "strongroom.cli.commands.lifecycle"} <= imported
    assert not imported & {"strongroom.cli.commands.servers", "strongroom.cli.commands.moving", "strongroom.movers.s3"}


@pytest.mark.parametrize("words", [["--version"], ["verify"]])
def test_what_speaks_with_no_server_does_not_wait_for_the_library_that_would(words: list[str], tmp_path: Path) -> None:
    folder, digests = tmp_path / "copy", tmp_path / "manifest-sha256.txt"
    folder.mkdir()
    (folder / "row.csv").write_bytes(b"")
    digests.write_text("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  row.csv\n")
    more = [str(folder), "--manifest", str(digests)] if words == ["verify"] else []
    assert "httpx" not in _imported(*words, *more)
