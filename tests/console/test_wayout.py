"""On a page the way out is a button; a command only where a terminal is meant."""

import re
from pathlib import Path

from strongroom.console.templatetags.console import ticked
from strongroom.console.wayout import BUTTONS, COMMAND, at_a_browser

SOURCE = Path(__file__).parents[2] / "src" / "strongroom"
# Typed by whoever reads it: at a terminal that asks to be let in, or on the server.
IN_A_TERMINAL = {"strongroom login", "strongroom join --ssh", "strongroom token create"}


def _named() -> set[str]:
    """Every command that an action or a rule names in what it says to people."""
    files = [file for part in ("actions", "core", "hosts", "engines") for file in (SOURCE / part).rglob("*.py")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if '"' in line]
    return {found for line in lines for found in COMMAND.findall(line)} - {"strongroom dataset finalize"}


def test_every_command_that_a_refusal_names_has_a_button() -> None:
    named = {each for each in _named() if each.count(" ") >= 2 or each in IN_A_TERMINAL}
    assert len(named) > 15
    assert named - IN_A_TERMINAL <= set(BUTTONS), "say in console/wayout.py where people at a browser find it"


def test_a_sentence_names_the_button_and_keeps_its_other_words() -> None:
    said = at_a_browser("See `strongroom grant list`; grant it with `strongroom grant create`.")
    assert said == (
        "See “Dataset access” on the data set's page; grant it with “Provision server access” on the data set's page."
    )
    assert at_a_browser("Run `strongroom login` again.") == "Run `strongroom login` again."


def test_every_option_that_is_translated_is_one_that_somebody_names() -> None:
    told = (SOURCE / "actions" / "datasets.py").read_text(encoding="utf-8")
    assert re.search(r": --allow-empty \(API: allow_empty\)\.", told)
    assert at_a_browser("Upload, or say it: --allow-empty (API: allow_empty).") == (
        "Upload, or say it: tick “It is meant to be empty”."
    )


def test_code_between_backticks_looks_like_code_and_stays_text() -> None:
    assert ticked("Run `a <b>` & see.") == "Run <code>a &lt;b&gt;</code> &amp; see."
    assert ticked("One ` alone <i>") == "One ` alone &lt;i&gt;"
