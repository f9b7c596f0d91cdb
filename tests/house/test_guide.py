"""What the pages for people name exists: commands, settings, verbs, headings; and things have their one word."""

import argparse
import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from strongroom.agent import main as agent_words
from strongroom.cli.main import ENVIRONMENT, main
from strongroom.cli.main import commands as all_commands
from strongroom.core import settings
from strongroom.core.vocabulary import SystemFact, Verb

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs" / "guide").glob("*.md"), *ROOT.glob("*.md")])
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
SUBSTITUTION = re.compile(r"\$\((strongroom [^()|]*)")
VARIABLE = re.compile(r"\bSTRONGROOM_[A-Z_]+\b")
AGENT = agent_words.parser()
ON_SERVERS = next(each.choices for each in AGENT._actions if isinstance(each, argparse._SubParsersAction))
NOUNS = {verb.value.partition(".")[0] for verb in Verb}
# What a page may call a thing differently only inside code.
OTHER_WORDS = re.compile(r"\b(datasets?|data-sets?|lock down|checksummed list|log book|upload keys?)\b", re.IGNORECASE)
VARIABLES = {
    *(each.variable for each in settings.entries()),
    *ENVIRONMENT,
    "STRONGROOM_TEST_DATABASE",  # of the tests alone: where a PostgreSQL is
}


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def shell_lines(text: str) -> Iterator[str]:
    """Each line of the blocks marked `sh`."""
    for _, language, body in FENCE.findall(text):
        if language == "sh":
            yield from filter(None, (line.strip() for line in body.splitlines()))


def commands(text: str) -> Iterator[list[str]]:
    """The words of every `strongroom` command that a page shows, in blocks and between backticks."""
    inline = [words for words in INLINE.findall(FENCE.sub("", text)) if words.startswith("strongroom ")]
    for line in [*shell_lines(text), *inline]:
        yield from (shlex.split(inner) for inner in SUBSTITUTION.findall(line))
        outside = SUBSTITUTION.sub("SUBSTITUTED", line)
        for part in re.split(r"\s(?:\||\|\||&&)\s", outside):
            words = shlex.split(part, comments=True)
            words = words[1:] if words[:1] == ["sudo"] else words
            if words[:1] == ["strongroom"]:
                yield words[: words.index(">")] if ">" in words else words


def parse(words: list[str]) -> None:
    """Parse as the command line does, without doing it. Raises click.UsageError."""
    if words[1:2] and words[1] not in all_commands() and words[1] in ON_SERVERS:
        _parse_on_a_server(words[1:])
        return
    context, command, rest = None, main, words[1:]
    name = words[0]
    while True:
        context = command.make_context(name, list(rest), parent=context)
        if not isinstance(command, click.Group):
            return
        name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None and name is not None
        command = found


def _parse_on_a_server(words: list[str]) -> None:
    """The same for the agent, which is called `strongroom` on servers. A command alone is its name."""
    if len(words) == 1:
        return
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            AGENT.parse_args(words)
    except SystemExit as ended:
        if ended.code:
            raise click.UsageError(said.getvalue()) from None


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them. Source: GitHub's rule for heading anchors."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_that_a_page_shows_is_understood(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in commands(page.read_text(encoding="utf-8")):
        for word in words:  # a file that a command reads must be there for its argument to be understood
            if re.fullmatch(r"(?!~|/)[\w./-]+\.(pdf|txt|jsonl?|pub|sig)", word):
                (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / word).touch()
        try:
            parse(words)
        except click.exceptions.Exit:
            pass  # --help
        except click.MissingParameter:
            if len(words) > 3:  # `strongroom dataset finalize` alone is the command's name
                raise
        except click.UsageError as error:
            pytest.fail(f"{named(page)}: {shlex.join(words)}: {error.format_message()}")


@pytest.mark.parametrize(
    "words",
    [
        ["strongroom", "dataset", "frobnicate"],
        ["strongroom", "dataset", "finalize"],
        ["strongroom", "dataset", "show", "x", "--colour", "red"],
        ["strongroom", "space", "create", "x", "--risk", "enormous"],
        ["strongroom", "mount", "x", "/mnt/x", "--faster"],
        ["strongroom", "mount", "x"],
    ],
)
def test_a_command_that_does_not_exist_is_noticed(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(words)


def test_the_guide_shows_every_noun_of_the_command_line() -> None:
    shown = {words[1] for page in PAGES for words in commands(page.read_text(encoding="utf-8")) if len(words) > 1}
    assert shown >= {name for name, found in all_commands().items() if isinstance(found, click.Group)}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    assert set(VARIABLE.findall(page.read_text(encoding="utf-8"))) <= VARIABLES


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_verb_that_a_page_names_exists(page: Path) -> None:
    words = {
        word for word in INLINE.findall(page.read_text(encoding="utf-8")) if re.fullmatch(r"[a-z]+\.[a-z_]+", word)
    }
    assert {word for word in words if word.partition(".")[0] in NOUNS} <= {*Verb, *SystemFact}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_to_a_heading_leads_to_one(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for where, heading in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", text):
        assert heading in anchors(page.parent / where if where else page), f"{where}#{heading}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_things_are_called_by_their_one_word(page: Path) -> None:
    prose = re.sub(r"\]\([^)]*\)|`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))
    assert OTHER_WORDS.findall(prose) == []


def test_the_index_of_the_guide_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "guide" / "index.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs" / "guide").glob("*.md")} - {"index.md"}
    assert pages == set(re.findall(r"\]\(([\w-]+\.md)\)", index)) & pages
