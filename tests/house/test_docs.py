"""The pages say what the code says, and tracked files hold nothing that belongs to one machine."""

import re
import subprocess
from pathlib import Path

import pytest

from strongroom.core import settings
from strongroom.core.vocabulary import Verb
from strongroom.runtime import reference

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
    "\0"
)
# Spelt so that this file does not hold what it looks for.
FORBIDDEN = {
    "an address of a package index": re.compile(
        r"--(extra-)?index-url\s+\S|--find-links\s+\S|/simp" + r"le/?\b.*\bpypi|pypi\S*/simp" + "le"
    ),
    "a path of one machine": re.compile(r"(?<![\w.~])/(wor" + r"k|opt/pyp" + r"i|opt/wheel" + r"s|roo" + r"t)/"),
}
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


@pytest.mark.parametrize("name", list(reference.PAGES))
def test_a_generated_page_is_what_would_be_generated_now(name: str) -> None:
    page = reference.FOLDER / name
    assert page.exists(), "run `make reference`"
    assert page.read_text(encoding="utf-8") == reference.PAGES[name](), "run `make reference`"


def test_a_page_that_was_edited_by_hand_is_noticed(tmp_path: Path) -> None:
    reference.write(tmp_path)
    assert reference.outdated(tmp_path) == []
    page = tmp_path / "settings.md"
    page.write_text(page.read_text().replace("8400", "8401"))
    assert reference.outdated(tmp_path) == ["settings.md"]


def test_every_setting_and_every_verb_is_on_its_page() -> None:
    page = reference.settings_page()
    assert all(f"`{each.variable}`" in page for each in settings.entries())
    for page in (reference.authorization_page(), reference.vocabulary_page()):
        assert all(f"`{verb}`" in page for verb in Verb)


@pytest.mark.parametrize("what", list(FORBIDDEN))
def test_no_tracked_file_holds(what: str) -> None:
    found = []
    for name in filter(None, TRACKED):
        path = ROOT / name
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{name}: {match[0]}" for match in [FORBIDDEN[what].search(text)] if match]
    assert found == []


def test_every_link_between_the_pages_leads_somewhere() -> None:
    pages = [ROOT / each for each in TRACKED if each.endswith(".md")]
    links = [(page, link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []
