"""What scripts say can be translated: they ask a catalogue for it, which is made for each language and kept."""

import gettext
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from strongroom.console import script_words
from strongroom.core.deeds import DEEDS
from strongroom.core.lifecycle import GATES
from strongroom.core.settings import entries
from strongroom.core.vocabulary import Verb
from tests.console.signed_in import browser
from tests.world import World

SOURCE = Path(__file__).parents[2] / "src/strongroom"
CONSOLE = SOURCE / "console"
SCRIPTS = sorted(path for path in (CONSOLE / "static").rglob("*.js") if "vendor" not in path.parts)
TEXT = r"""(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
TRANSLATED = re.compile(rf"\b(?:ngettext\(\s*({TEXT}),\s*({TEXT}),|gettext\(\s*({TEXT})\))")
PARTS = re.compile(
    rf"(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<text>{TEXT}|`(?:\\.|[^`\\])*`)"
    r"|(?P<pattern>(?<=[(,=:\[!&|?\s])/(?![/*\s])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/)",
    re.DOTALL,
)
SAID = re.compile(r"[A-Za-z]{2,}[,:;.]? [a-z]{2,}|^[A-Z][a-z]+[.!]?$|[a-z]\.$")
# Elements of answers of S3, a header, and what is said to the browser.
TOLD_PROGRAMS = {"Accept", "Code", "Contents", "Key", "Message", "Part", "Size", "use strict"}
MARK = "~"


def _said(source: str) -> list[str]:
    """What a script says without asking the catalogue, and what it asks for that translators cannot find."""
    left = TRANSLATED.sub("asked(", source)
    texts = [found["text"] for found in PARTS.finditer(left) if found["text"]]
    said = [each for each in texts if SAID.search(each[1:-1]) and each[1:-1] not in TOLD_PROGRAMS]
    return said + re.findall(r"\bn?gettext\(.*", left)


def _asked(source: str) -> Iterator[str]:
    for found in TRANSLATED.findall(source):
        yield from (each[1:-1] for each in found if each)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_nothing_that_cannot_be_translated(path: Path) -> None:
    assert _said(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('say("It is done");', ['"It is done"']),
        ("say(`${count} files are there`);", ["`${count} files are there`"]),
        ("say('Done')", ["'Done'"]),
        ('const said = { done: "sent." }', ['"sent."']),
        ('say(gettext(text)); say("a");', ['gettext(text)); say("a");']),
        ('say(ngettext("%(count)s file", "%(count)s files", count) + "are there")', ['"are there"']),
        ('// It is done\nsay(gettext("It is done")); find(\'[data-a] [data-b]\'); text(xml, "Code");', []),
        ('if (/^it is "done"$/.test(a / b)) find("a.b");', []),
    ],
)
def test_words_of_a_script_are_found_where_they_hide(source: str, found: list[str]) -> None:
    assert _said(source) == found


def test_the_catalogue_is_kept_for_good_where_pages_name_it(db: None) -> None:
    address = re.search(r'<script src="(/words\.js[^"]*)"', Client().get("/sign-in").content.decode())
    assert address
    response = Client().get(address[1].replace("&amp;", "&"))
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert not response.cookies and "Cookie" not in response.headers.get("Vary", "")
    assert Client().get("/words.js?v=another").headers["Cache-Control"] == "no-cache"
    assert Client().post("/words.js").status_code in (403, 405)


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language as CONTRIBUTING says how to make one: each of its texts is the English one with a mark."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(SOURCE, source / "strongroom", ignore=shutil.ignore_patterns("__pycache__", "vendor", "agent"))
    console = source / "strongroom/console"
    folder = console / "locale/de/LC_MESSAGES"
    for domain in ("django", "djangojs"):
        _run(source, sys.executable, "-m", "strongroom.console.collecting", "-l", "de", "-d", domain)
        _run(folder, "msgen", "-o", f"{domain}.po", f"{domain}.po")
        _run(folder, "msgfilter", "--keep-header", "-i", f"{domain}.po", "-o", f"{domain}.po", "sed", f"s/^/{MARK}/")
    _run(console, sys.executable, "-m", "django", "compilemessages", "-l", "de")
    return folder


@pytest.fixture
def german(translated: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """That language, and pages in it."""
    settings.LOCALE_PATHS = [str(translated.parents[1])]
    monkeypatch.setitem(vars(trans_real), "_translations", {})  # where Django keeps what it loaded
    script_words.catalogue.cache_clear()
    with translation.override("de"):
        yield translated
    script_words.catalogue.cache_clear()


def test_a_language_is_added_as_the_page_for_contributors_says(world: World, german: Path) -> None:
    with (german / "djangojs.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    asked = {text for path in SCRIPTS for text in _asked(path.read_text(encoding="utf-8"))}
    assert len(asked) > 60
    singular = {text for text in asked if catalogue.gettext(text) == text and catalogue.ngettext(text, "", 1) == text}
    plural = {text for path in SCRIPTS for text in re.findall(rf"ngettext\(\s*{TEXT},\s*({TEXT})", path.read_text())}
    assert singular - {each[1:-1] for each in plural} == set()
    page = browser(world.owner(world.space())).get("/").content.decode()
    assert f"{MARK}Skip to the content" in page and "/words.js?in=de&amp;v=" in page
    refused = browser(world.owner(world.space())).get("/datasets/018f0000-0000-7000-8000-000000000000")
    assert f"{MARK}There is no data set 018f0000" in refused.content.decode()
    script = Client().get("/words.js").content.decode()
    assert f'"Copied": "{MARK}Copied"' in script and f'"{MARK}%(count)s files"' in script
    assert "plural" in script


def test_the_sentences_of_every_package_are_given_to_the_translators(translated: Path) -> None:
    told = (translated / "django.po").read_text(encoding="utf-8")
    found = {each.split("/")[0] for each in re.findall(r"^#: (\S+)", told, re.MULTILINE)}
    assert found == {"actions", "api", "console", "core", "engines", "hosts", "identity", "runtime"}
    for said in (
        *(DEEDS[Verb.DATASET_FINALIZE], GATES[Verb.KEY_ISSUE].why, entries()[0].doc, "was never seen"),
        *("{count} data set has objects that are missing, altered or unreadable", "{some} or {last}"),
    ):
        assert f'"{said}"' in told.replace('"\n"', "")
    assert '#, python-brace-format\nmsgid "There is no space {space_id} that you may see."' in told


def _run(folder: Path, *command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
