"""Every write of the console works without scripts: it is a form with a button, on a page that somebody can reach.

The paths are those that Django knows, and what is written to is what answers POST in another way than GET: a write that
is added needs its form, or its reason here.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import resolve

from strongroom.hosts.memory import MemoryHost
from tests.console.everything import Everything, made
from tests.console.reading import Reading
from tests.console.test_sweep import PATHS
from tests.keyrings import ORIGIN
from tests.world import World

pytestmark = pytest.mark.django_db

_PASSKEY = "a passkey is made and used by the browser's script; an authenticator app and recovery codes need none"
_UPLOAD = "the script of the upload page asks it in JSON; an access key and the command line upload without it"
BY_SCRIPT = {
    "sign-in/ask": _PASSKEY,
    "sign-in/passkey": _PASSKEY,
    "sign-in/code/ask": _PASSKEY,
    "sign-in/code/passkey": _PASSKEY,
    "step-up/ask": _PASSKEY,
    "step-up/passkey": _PASSKEY,
    "account/passkeys": _PASSKEY,
    "account/passkeys/ask": _PASSKEY,
    "datasets/<uuid:dataset_id>/transfers": _UPLOAD,
    "datasets/<uuid:dataset_id>/transfers/<uuid:transfer_id>/renew": _UPLOAD,
    "datasets/<uuid:dataset_id>/transfers/<uuid:transfer_id>/digests": _UPLOAD,
    "datasets/<uuid:dataset_id>/transfers/<uuid:transfer_id>/close": _UPLOAD,
}
SAMPLES = "/staff/components"
"""The parts of pages, for those who build pages: what is on it does nothing."""
DOORS = ("/sign-in", "/step-up", "/account/mfa", "/account/terms")
OF_A_PROVIDER = {
    "sign-in/saml/answer": "a page of the provider sends it here; tests/identity/test_saml.py says what guards it",
}


@pytest.fixture
def everything(world: World, host: MemoryHost, settings: Any) -> Everything:
    settings.STRONGROOM = replace(settings.STRONGROOM, public_url=ORIGIN)
    return made(world)


def _pages(everything: Everything, client: Client, written: str) -> Iterator[tuple[str, Reading]]:
    for path in everything.paths(written):
        response = client.get(path)
        if response.status_code in (302, 405):
            return  # for whichever ids: what only a button leads to
        if _is_html(response):
            yield path, Reading(response.content.decode(), path)


def _is_html(response: HttpResponseBase) -> bool:
    return not response.streaming and response.headers.get("Content-Type", "").startswith("text/html")


def _read(everything: Everything) -> list[tuple[str, Reading]]:
    """Every page, read by everybody."""
    found = [
        each
        for written in [*PATHS, *everything.more]
        if written != SAMPLES
        for client in everything.who(written)
        for each in _pages(everything, client, written)
    ]
    found += [(path, Reading(client.post(path).content.decode(), path)) for client, path in everything.answers]
    assert len(found) > 300
    return found


def _route(path: str) -> str:
    return resolve(path).route


def _takes_post(everything: Everything, written: str) -> bool:
    """Whether anybody who is let in is answered to POST otherwise than with the page that GET shows."""
    for client in everything.who(written):
        for path in islice(everything.paths(written), 2):  # of what is finalized, and of what is pending
            with transaction.atomic():
                seen, sent = client.get(path), client.post(path)
                transaction.set_rollback(True)
            # Where both lead on, as to the tab that has the button, it is one that something is sent to.
            if _is_let_in(sent) and (seen.status_code != sent.status_code or sent.status_code == 302):
                return True
    return False


def _is_let_in(response: HttpResponseBase) -> bool:
    led_to = response.headers.get("Location", "")
    return response.status_code not in (401, 403, 404, 405) and not led_to.startswith(DOORS)


def test_every_write_is_a_form_with_its_button_and_no_page_needs_a_script(everything: Everything) -> None:
    read = _read(everything)
    assert {f"{path}: {problem}" for path, page in read for problem in page.problems} == set()
    reached = {_route(path) for _, page in read for path in page.written_to}
    assert len(reached) > 50
    without_form = {written for written in PATHS if written[1:] not in reached}
    writes = {written[1:] for written in without_form if _takes_post(everything, written)}
    assert writes - set(OF_A_PROVIDER) == set(BY_SCRIPT)


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ('<form method="post" action="/a"><button>b</button></form>', "has no token"),
        ('<form method="post" action="/a"><input name="csrfmiddlewaretoken"></form>', "no button sends"),
        ('<form method="post" action="x:"><input name="csrfmiddlewaretoken"><button>b</button></form>', "elsewhere"),
        ('<button type="button">b</button>', "by a script alone"),
        ("<button>b</button>", "sends no form"),
        ('<button form="f">b</button>', "not there"),
        ('<a href="#">b</a>', "leads nowhere"),
        ('<a href="#f">b</a>', "not there"),
        ('<span hx-delete="/a">b</span>', "hx-delete alone"),
    ],
)
def test_what_needs_a_script_is_found(page: str, problem: str) -> None:
    assert any(problem in each for each in Reading(page).problems)


def test_a_form_whose_button_stands_elsewhere_is_whole() -> None:
    page = Reading(
        '<form method="post" action="/a?b=c" id="f"><input name="csrfmiddlewaretoken"></form>'
        '<button form="f">b</button><div hidden><button type="button">c</button></div>'
    )
    assert (page.problems, page.written_to) == ([], {"/a"})
