"""What must not let anybody in: answers that are not for this browser, tokens that are wrong, providers that lie."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.http import HttpResponse

from strongroom import identity
from strongroom.core.actor import Actor
from strongroom.db.models import BrowserSession, Identity
from strongroom.runtime import compose
from tests.identity.liar import Liar
from tests.identity.provider import OTHER_CLIENT, Provider
from tests.identity.visitor import Visitor
from tests.world import World

Tell = Callable[..., None]


@pytest.fixture
def ada(world: World, provider: Provider, told: Tell) -> Actor:
    actor = world.person("ada")
    provider.person("ada", email=actor.email)
    return actor


def _is_out(visitor: Visitor) -> bool:
    return visitor.here.get("/account/").status_code == 302 and not BrowserSession.objects.exists()


def _changed(url: str, **changes: str) -> str:
    parts = urlsplit(url)
    answer = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    return f"{parts.path}?{urlencode(answer)}"


def test_an_answer_with_another_state_is_refused_and_ends_the_sign_in(ada: Actor) -> None:
    visitor = Visitor()
    back = visitor.to_the_door("ada")
    assert visitor.come_back(_changed(back, state="guessed")).status_code == 401
    assert visitor.come_back(back).status_code == 401  # what was kept was good for one answer
    assert _is_out(visitor)


def test_an_answer_that_another_browser_got_lets_nobody_in(ada: Actor) -> None:
    attacker, victim = Visitor(), Visitor()
    back = attacker.to_the_door("ada")
    assert victim.come_back(back).status_code == 401
    victim.here.get("/sign-in/oidc")
    assert victim.come_back(back).status_code == 401
    assert _is_out(victim)


def test_a_code_works_once(ada: Actor) -> None:
    visitor, thief = Visitor(), Visitor()
    back = visitor.to_the_door("ada")
    kept = dict(visitor.here.session["signon"])
    assert visitor.come_back(back).status_code == 302
    thief.here.get("/sign-in/oidc")
    stolen = thief.here.session
    stolen["signon"] = kept
    stolen.save()
    response = thief.come_back(back)
    assert response.status_code == 401
    assert thief.here.get("/account/").status_code == 302


def test_a_code_without_its_verifier_is_worth_nothing(ada: Actor) -> None:
    visitor = Visitor()
    back = visitor.to_the_door("ada")
    session = visitor.here.session
    session["signon"] = {**session["signon"], "kept": {**session["signon"]["kept"], "verifier": "x" * 43}}
    session.save()
    assert visitor.come_back(back).status_code == 401
    assert _is_out(visitor)


def test_a_sign_in_that_took_too_long_is_over(ada: Actor) -> None:
    visitor = Visitor()
    back = visitor.to_the_door("ada")
    session = visitor.here.session
    session["signon"] = {**session["signon"], "left_at": "2026-01-01T00:00:00+00:00"}
    session.save()
    assert visitor.come_back(back).status_code == 401
    assert _is_out(visitor)


def test_a_token_for_another_client_is_refused(ada: Actor, told: Tell) -> None:
    visitor = Visitor()
    back = visitor.to_the_door("ada")
    told(oidc_client_id=OTHER_CLIENT)
    assert visitor.come_back(back).status_code == 401
    assert _is_out(visitor)


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_host_afterwards(ada: Actor, told: Tell, wanted: str) -> None:
    told(oidc_mfa_acr=("loa-2",))
    assert Visitor().sign_in("ada", next_=wanted).headers["Location"] == "/"


def test_a_cookie_from_before_the_sign_in_is_worth_nothing_after(ada: Actor) -> None:
    visitor = Visitor()
    back = visitor.to_the_door("ada")
    planted = visitor.here.cookies["strongroom_session"].value
    visitor.come_back(back)
    assert visitor.here.cookies["strongroom_session"].value != planted
    thief = Visitor()
    thief.here.cookies["strongroom_session"] = planted
    assert thief.here.get("/account/").status_code == 302


def test_what_the_provider_refuses_is_said_and_not_echoed(ada: Actor) -> None:
    visitor = Visitor()
    asked = parse_qs(urlsplit(visitor.here.get("/sign-in/oidc").headers["Location"]).query)
    told = {"error": "<b>access_denied</b>", "error_description": "<script>", "state": asked["state"][0]}
    response = visitor.here.get(f"/sign-in/oidc/answer?{urlencode(told)}")
    assert response.status_code == 401
    assert "it let nobody in" in response.content.decode()
    assert "<b>" not in response.content.decode()
    assert "<script>" not in response.content.decode()


def test_a_browser_that_nobody_left_with_cannot_come_back(ada: Actor, told: Tell) -> None:
    assert Visitor().here.get("/sign-in/oidc/answer?code=x&state=").status_code == 401
    assert Visitor().here.get("/sign-in/saml/answer?code=x&state=").status_code == 401
    told(saml_metadata="")
    assert Visitor().here.get("/sign-in/saml").status_code == 404


def test_refused_answers_of_one_address_are_limited(ada: Actor) -> None:
    visitor = Visitor()
    found = []
    for _ in range(11):
        visitor.here.get("/sign-in/oidc")
        found.append(visitor.here.get("/sign-in/oidc/answer?code=x&state=y").status_code)
    assert found == [401] * 10 + [429]


# A provider that lies


@pytest.fixture
def liar(world: World, settings: Any) -> Iterator[Liar]:
    lying = Liar()
    basic = {"oidc_issuer": lying.url, "oidc_client_id": "strongroom", "oidc_client_secret": "s" * 40}
    changed = replace(settings.STRONGROOM, **basic, sso_new_people="all", oidc_mfa_acr=("strong",))
    settings.STRONGROOM = changed
    identity.use(lambda: compose.providers(changed))
    yield lying
    identity.use(dict)
    lying.stop()


def _through(liar: Liar, **answer: str) -> HttpResponse:
    visitor = Visitor()
    left = visitor.here.get("/sign-in/oidc")
    return visitor.come_back(liar.back(left.headers["Location"], **answer))


def test_an_honest_answer_of_it_lets_somebody_in(liar: Liar) -> None:
    assert _through(liar).status_code == 302
    assert Identity.objects.get().subject == "ada"


@pytest.mark.parametrize("how", ["by_a_stranger", "with_the_public_key", "with_the_client_secret", "unsigned"])
def test_a_token_that_the_provider_did_not_sign_is_refused(liar: Liar, how: str) -> None:
    liar.sign = getattr(liar, how)
    response = _through(liar)
    assert response.status_code == 401
    assert "the signature of its ID token is not right" in response.content.decode()
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-application"},
        {"aud": ["strongroom", "another-application"]},  # and nobody named as the one it is for
        {"azp": "another-application"},
        {"iss": "https://another.example"},
        {"iss": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": ["ada"]},
        {"sub": "x" * 256},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(liar: Liar, changes: dict[str, object]) -> None:
    liar.changes = changes
    assert _through(liar).status_code == 401
    assert not Identity.objects.exists()


def test_what_is_told_of_somebody_else_is_refused(liar: Liar) -> None:
    liar.said = {"sub": "root"}
    assert _through(liar).status_code == 401


@pytest.mark.parametrize("verified", ["true", 1, None])
def test_only_a_plain_yes_verifies_an_address(liar: Liar, verified: object) -> None:
    liar.changes = {"email_verified": verified}
    assert _through(liar).status_code == 403


def test_what_besides_is_told_does_not_outdo_the_token(liar: Liar) -> None:
    liar.changes = {"email_verified": False}
    liar.said = {"email_verified": True}
    assert _through(liar).status_code == 403


def test_an_answer_of_another_issuer_is_refused(liar: Liar) -> None:
    assert _through(liar, iss="https://another.example").status_code == 401


def test_a_discovery_document_of_another_issuer_is_not_believed(liar: Liar) -> None:
    liar.discovery = {"issuer": "https://another.example"}
    assert Visitor().here.get("/sign-in/oidc").status_code == 503


def test_strength_without_a_time_proves_nothing(liar: Liar) -> None:
    liar.changes = {"acr": "strong"}
    _through(liar)
    assert BrowserSession.objects.get().mfa_proved_at is None


def test_a_proof_counts_from_when_it_was_given_and_never_from_the_future(liar: Liar) -> None:
    old = int(time.time()) - 7200
    liar.changes = {"acr": "strong", "auth_time": old}
    _through(liar)
    proved_at = BrowserSession.objects.get().mfa_proved_at
    assert proved_at is not None
    assert proved_at.timestamp() == old
    liar.changes = {"acr": "strong", "auth_time": int(time.time()) + 36000}
    _through(liar)
    newest = BrowserSession.objects.latest("created_at")
    assert newest.mfa_proved_at is not None
    assert newest.mfa_proved_at <= newest.created_at


def test_a_provider_that_did_not_ask_again_proves_nothing_anew(liar: Liar) -> None:
    old = int(time.time()) - 7200
    liar.changes = {"acr": "strong", "auth_time": old}
    visitor = Visitor()
    visitor.come_back(liar.back(visitor.here.get("/sign-in/oidc").headers["Location"]))
    left = visitor.here.get("/step-up/oidc?next=/account/").headers["Location"]
    assert parse_qs(urlsplit(left).query)["prompt"] == ["login"]
    assert visitor.come_back(liar.back(left)).status_code == 403
    liar.changes = {"acr": "strong", "auth_time": int(time.time())}
    left = visitor.here.get("/step-up/oidc?next=/account/").headers["Location"]
    assert visitor.come_back(liar.back(left)).headers["Location"] == "/account/"


def test_a_provider_that_is_away_keeps_nobody_from_the_password(liar: Liar) -> None:
    liar.stop()
    visitor = Visitor()
    assert visitor.here.get("/sign-in/oidc").status_code == 503
    assert visitor.here.get("/sign-in").status_code == 200
