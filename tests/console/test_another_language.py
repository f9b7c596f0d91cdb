"""Whole pages in a language that is made up: what is still English was not given to the translators."""

import gettext
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from strongroom.actions import attachments
from strongroom.core.vocabulary import AttachmentKind, Kind, Role
from tests.console.signed_in import browser
from tests.world import World

pytestmark = pytest.mark.django_db

MADE_UP = "qps"
# Every letter with another that looks like it, so that a letter of ours is one that nobody translated.
LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "àƀçđéƒĝĥîĵķļɱñôþɋŕšţûṽŵẋýžÀƁÇĐÉƑĜĤÎĴĶĻṀÑÔÞɊŔŠŢÛṼŴẊÝŽ"
)
OTHERS = set(map(chr, LETTERS.values()))
KEPT = re.compile(r"%\(\w+\)[sd]|\{\w*\}|<code>.*?</code>|<[^>]*>|&#?\w+;|%%")
SAID = {"title", "aria-label", "placeholder", "alt", "data-label"}
TYPED = {"class", "id", "name", "type", "value", "href", "action", "autocomplete"}  # attributes that programs read
NOT_SAID = {"code", "pre", "time", "script", "style"}
# What people and programs are called, in every language.
DATA = ["Strongroom", "Firefox", "Root", "root@example.org", "OIDC", "SAML"]
NAMED = r"(?:owner|auditor|person)\d+(?:@example\.org)?|^\s*(?:owner|auditor|person)$|, owner$"  # as tests.world does
ENGLISH = re.compile(r"[A-Za-z]{2,}")


def _made_up(message: str) -> str:
    """In other letters, but for the names of values and for markup."""
    kept = KEPT.findall(message)
    said = [each.translate(LETTERS) for each in KEPT.split(message)]
    return "".join(text + mark for text, mark in zip(said, [*kept, ""], strict=True))


class MadeUp(gettext.NullTranslations):
    """A catalogue that holds every message."""

    def to_language(self) -> str:
        return MADE_UP

    def gettext(self, message: str) -> str:
        return _made_up(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _made_up(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return _made_up(message)


class Read(HTMLParser):
    """What people read of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.typed: list[str] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within += [tag] if tag in NOT_SAID else []
        self.said += [value or "" for name, value in attrs if name in SAID and tag != "time"]
        self.typed += [value or "" for name, value in attrs if name in TYPED]

    def handle_endtag(self, tag: str) -> None:
        if self.within and tag == self.within[-1]:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if not self.within:
            self.said.append(data)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(vars(trans_real)["_translations"], MADE_UP, MadeUp())  # where Django keeps what it loaded
    with translation.override(MADE_UP):
        yield


def _english(page: Client, path: str, *data: str) -> list[str]:
    """The texts of a page that hold a word in our letters, besides `data`, which people wrote."""
    response = page.get(path)
    assert response.status_code == 200, path
    shown = response.content.decode()
    assert f'<html lang="{MADE_UP}"' in shown
    read = Read()
    read.feed(shown)
    assert [each for each in read.typed if set(each) & OTHERS] == [], path
    known = re.compile("|".join([NAMED, *map(re.escape, sorted(data, key=len, reverse=True))]))
    return [left for left in (known.sub("", each).strip() for each in read.said) if ENGLISH.search(left)]


def test_whole_pages_come_out_in_another_language(world: World, made_up: None) -> None:
    space = world.space(name="7")
    owner = world.owner(space)
    pending = world.dataset(space, kind=Kind.DERIVATIVE, name="8")
    world.key(pending)
    dataset = world.finalized(world.dataset(space, name="9"))
    attachments.add(owner, dataset.id, filename="1", title="1", kind=AttachmentKind.OTHER, body=io.BytesIO(b"a"))
    machine = world.granted(dataset)
    world.member(space, Role.AUDITOR)
    of_space = ["", "/servers", "/servers/new", "/servers/enrol", "/people", "/charges", "/settings", "/datasets/new"]
    of_frozen = ["/attachments", "/contents", "/lineage", "/integrity", "/edit", "/request-deletion"]
    of_pending = ["/attachments", "/contents", "/lineage", "/edit", "/finalize", "/promote", "/delete", "/upload"]
    paths = [
        *("/", "/spaces/", "/spaces/new", "/account/", "/account/mfa", "/account/device"),
        *(f"/spaces/{space.id}{each}" for each in of_space),
        *(f"/datasets/{dataset.id}{each}" for each in of_frozen),
        *(f"/datasets/{pending.id}{each}" for each in of_pending),
        f"/servers/{machine.row.id}/edit",
    ]
    data = [machine.row.name, dataset.repository, pending.repository, pending.external_source, "first.csv", *DATA]
    page = browser(owner)
    assert {path: left for path in paths if (left := _english(page, path, *data))} == {}


def test_the_pages_of_the_staff_come_out_in_another_language(world: World, made_up: None) -> None:
    page = browser(world.administrator)
    person = f"/staff/people/{world.person().person_id}"
    paths = ["/staff/spaces", "/staff/people", "/staff/people/new", person, "/staff/groups"]
    assert {path: left for path in paths if (left := _english(page, path, *DATA))} == {}


@pytest.mark.parametrize("path", ["/sign-in", "/invitations/"])
def test_the_doors_come_out_in_another_language(path: str, made_up: None) -> None:
    assert _english(Client(), path, *DATA) == []


def test_what_was_done_is_said_in_another_language(world: World, made_up: None) -> None:
    space = world.space(name="7")
    page = browser(world.owner(space))
    given = {"name": "7", "risk_level": "high", "charge_code": "", "contact": ""}
    page.post(f"/spaces/{space.id}/settings", given)
    assert _made_up("Saved.") in page.get(f"/spaces/{space.id}").content.decode()


def test_a_text_that_nobody_translated_is_found(world: World, made_up: None) -> None:
    space = world.space(name="Written by a person")
    assert "Written by a person" in _english(browser(world.owner(space)), f"/spaces/{space.id}", *DATA)


def test_a_count_has_a_form_of_its_own_for_one(world: World, made_up: None) -> None:
    space = world.space(name="7")
    world.dataset(space)
    assert f"<strong>1</strong> {_made_up('data set')}</li>" in browser(world.owner(space)).get("/").content.decode()
    world.dataset(space)
    assert f"<strong>2</strong> {_made_up('data sets')}</li>" in browser(world.owner(space)).get("/").content.decode()
