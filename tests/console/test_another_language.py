"""Whole pages in a language that is made up: what is still English was not given to the translators."""

import gettext
import html
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from strongroom.actions import attachments
from strongroom.console.spaces.wording import FACTS
from strongroom.core.vocabulary import AttachmentKind, Kind, Role, SystemFact
from tests.api.callers import calling
from tests.console.signed_in import browser
from tests.world import World

pytestmark = pytest.mark.django_db

MADE_UP = "qps"
# Every letter with another that looks like it, so that a letter of ours is one that nobody translated.
LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "àƀçđéƒĝĥîĵķļɱñôþɋŕšţûṽŵẋýžÀƁÇĐÉƑĜĤÎĴĶĻṀÑÔÞɊŔŠŢÛṼŴẊÝŽ"
)
OTHERS = set(map(chr, LETTERS.values()))
KEPT = re.compile(
    r"%\(\w+\)[sd]|\{\w*(?:![rs])?(?::[^{}]*)?\}|`[^`]*`|: --allow-empty[^.]*\.|<code>.*?</code>|<[^>]*>|&#?\w+;|%%"
)
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
    return _left(response, path, *data)


def _left(response: HttpResponse, path: str, *data: str) -> list[str]:
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
    of_both = ["", "/access", "/activity", "/connect", "/attachments", "/contents", "/lineage", "/edit"]
    of_frozen = [*of_both, "/integrity", "/request-deletion"]
    of_pending = [*of_both, "/finalize", "/promote", "/delete", "/upload"]
    paths = [
        *("/", "/spaces/", "/spaces/new", "/account/", "/account/mfa", "/account/device"),
        *(f"/spaces/{space.id}{each}" for each in of_space),
        *(f"/datasets/{dataset.id}{each}" for each in of_frozen),
        *(f"/datasets/{pending.id}{each}" for each in of_pending),
        *(f"/servers/{machine.row.id}{each}" for each in ("", "/edit")),
    ]
    machine.row.refresh_from_db()
    data = [
        machine.row.name,
        machine.row.hostname,
        "Debian 12",
        "S3 (HTTP)",
        dataset.repository,
        pending.repository,
        pending.external_source,
        "first.csv",
        *DATA,
    ]
    page = browser(owner)
    assert {path: left for path in paths if (left := _english(page, path, *data))} == {}


def test_the_pages_of_the_staff_come_out_in_another_language(world: World, made_up: None) -> None:
    page = browser(world.administrator)
    person = f"/staff/people/{world.person().person_id}"
    of_staff = ["/", "/settings", "/spaces", "/people", "/people/new", "/groups"]
    paths = [person, *(f"/staff{each}" for each in of_staff)]
    data = [f"SQLite {sqlite3.sqlite_version}", *DATA]
    assert {path: left for path in paths if (left := _english(page, path, *data))} == {}


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


def test_a_refusal_is_said_in_another_language(world: World, made_up: None) -> None:
    missing = "018f0000-0000-7000-8000-000000000000"
    page = browser(world.owner(world.space(name="7")))
    response = page.get(f"/datasets/{missing}")
    assert response.status_code == 404 and _left(response, "", missing, *DATA) == []
    assert _made_up("There is no data set {dataset_id} that you may see.").format(dataset_id=missing) in _text(response)


def test_what_is_wrong_with_a_field_is_said_in_another_language(world: World, made_up: None) -> None:
    page = browser(world.owner(world.space(name="7")))
    response = page.post("/spaces/new", {"name": "", "risk_level": "high", "charge_code": "", "contact": ""})
    assert response.status_code == 422
    assert f"{_made_up('is empty')}. {_made_up('Enter a text.')}" in _text(response)
    assert [left for left in _left(response, "", *DATA) if "name" not in left] == []  # the name of the field


def test_why_a_button_is_closed_is_said_in_another_language(world: World, made_up: None) -> None:
    space = world.space(name="7")
    dataset = world.finalized(world.dataset(space, name="8"))
    seen = browser(world.member(space, Role.AUDITOR)).get(f"/datasets/{dataset.id}")
    deed, held = _made_up("finalize the data set"), _made_up("an auditor of the space")
    refused = _made_up("You may not {deed}: {held}.").format(deed=deed, held=_made_up("you are {who}").format(who=held))
    assert refused in _text(seen) and _made_up("An owner of the space") in _text(seen)
    state = _made_up("“{name}” {what}, and {why}.").format(
        name="8", what=_made_up("is finalized"), why=_made_up("only a pending data set can be finalized")
    )
    assert state in _text(browser(world.owner(space)).get(f"/datasets/{dataset.id}"))


def test_what_was_done_is_listed_in_another_language(world: World, made_up: None) -> None:
    space = world.space(name="7")
    owner = world.owner(space)
    world.finalized(world.dataset(space, by=owner, name="8"))
    listed = _text(browser(owner).get(f"/spaces/{space.id}/activity"))
    deeds = re.findall(r'<span class="event-deed">([^<]+)|<option value="[a-z_]+\.[a-z_]+">([^<]+)', listed)
    assert len(deeds) > 80 and [each for each in deeds if ENGLISH.search("".join(each))] == []
    assert (_made_up("create a data set").replace("ç", "Ç", 1), "") in deeds
    assert set(FACTS) == set(SystemFact)


def test_how_each_part_is_stands_there_in_another_language(world: World, made_up: None) -> None:
    seen = _text(browser(world.administrator).get("/staff/"))
    assert _made_up("was never seen") in seen and _made_up("worker").replace("ŵ", "Ŵ") in seen
    assert _made_up("no damage known; {count} fixity checks under way").format(count=0) in seen


def test_what_is_done_in_a_script_is_refused_in_another_language(world: World, made_up: None) -> None:
    dataset = world.finalized(world.dataset(world.space(name="7"), name="8"))
    page = browser(world.owner(dataset.space))
    refused = page.post(f"/datasets/{dataset.id}/transfers", b"{}", content_type="application/json").json()
    assert ENGLISH.search(refused["refusal"].replace(dataset.finalized_by.email, "").replace("UTC", "")) is None


def test_the_api_refuses_in_english_whatever_language_is_asked_for(world: World, made_up: None) -> None:
    space = world.space(name="7")
    dataset = world.finalized(world.dataset(space, name="8"))
    call = calling(world.owner(space))
    refused = call("POST", f"/datasets/{dataset.id}/finalize", {"confirm_name": "8"}, accept_language=MADE_UP).json()
    assert refused["detail"].startswith("You cannot finalize the data set now: “8” is finalized")
    assert refused["way_out"] == "Nothing is left to do; a derivative can be promoted to an original."
    wrong = call("POST", "/spaces", {"name": "", "risk_level": "high"}, accept_language=MADE_UP).json()
    assert wrong["fields"] == {"name": "is empty. Enter a text."}
    told = call("GET", f"/datasets/{dataset.id}", accept_language=MADE_UP).json()
    assert not set(json.dumps(told["blocked"], ensure_ascii=False)) & OTHERS and len(told["blocked"]) > 5


def test_a_translation_whose_values_are_others_leaves_the_english(
    world: World, made_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MadeUp, "gettext", lambda self, message: message.replace("{", "{un").replace("%(", "%("))
    page = browser(world.owner(world.space(name="7")))
    response = page.get("/datasets/018f0000-0000-7000-8000-000000000000")
    assert "There is no data set 018f0000-0000-7000-8000-000000000000 that you may see." in _text(response)


def _text(response: HttpResponse) -> str:
    return html.unescape(response.content.decode())
