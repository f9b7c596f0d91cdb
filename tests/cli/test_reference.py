"""The reference page is made from the commands, and shells can complete them."""

import os
import subprocess
import sys

import pytest
from tests.cli.live import Run

from strongroom.cli import reference
from strongroom.cli.deeds import command_name
from strongroom.cli.exits import Exit
from strongroom.core.vocabulary import Verb


def test_the_page_has_every_verb_every_exit_code_and_every_example() -> None:
    page = reference.markdown()
    for verb in Verb:
        assert f"### strongroom {' '.join(command_name(verb))}\n" in page
    for code in Exit:
        assert f"| {int(code)} |" in page
    assert page == reference.markdown()


def test_tables_of_the_page_have_two_columns_in_every_row() -> None:
    for line in reference.markdown().splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 3, line


def test_the_command_line_loads_nothing_of_the_server() -> None:
    code = (
        "import sys, strongroom.cli.client, strongroom.cli.main; strongroom.cli.main.commands();"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"click", "httpx"} <= set(loaded)
    assert not set(loaded) & {"django", "ninja", "boto3", "botocore", "structlog", "granian", "psycopg", "pydantic"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_of_a_shell_is_printed(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == Exit.OK and "_STRONGROOM_COMPLETE" in result.stdout


def test_bash_completes_the_verbs_of_a_noun() -> None:
    environ = {"COMP_WORDS": "strongroom dataset req", "COMP_CWORD": "2", "_STRONGROOM_COMPLETE": "bash_complete"}
    code = "from strongroom.cli.main import main; main(prog_name='strongroom')"
    ended = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    assert ended.stdout.split() == ["plain,request-deletion"]
