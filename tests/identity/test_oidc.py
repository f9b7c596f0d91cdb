"""Signing in through a real OpenID Connect provider: who comes in, as whom, and what the ledger says."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client

from strongroom.actions import people
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Outcome, SystemFact
from strongroom.db.models import BrowserSession, Event, Identity, Person
from tests.identity.provider import Provider
from tests.identity.visitor import Visitor
from tests.phones import enrolled
from tests.world import World

Tell = Callable[..., None]


@pytest.fixture
def ada(world: World, provider: Provider, told: Tell) -> Actor:
    """Somebody known here, whom the provider knows by the same address."""
    actor = world.person("ada")
    provider.person("ada", email=actor.email)
    return actor


def _session_of(actor: Actor) -> BrowserSession:
    return BrowserSession.objects.filter(person_id=actor.person_id).latest("created_at")


def test_the_sign_in_page_offers_the_provider(told: Tell, db: None) -> None:
    page = Client().get("/sign-in?next=/spaces/").content.decode()
    assert "Continue with the university" in page
    assert 'href="/sign-in/oidc?next=%2Fspaces%2F"' in page


def test_somebody_known_is_linked_and_comes_in(ada: Actor) -> None:
    visitor = Visitor()
    response = visitor.sign_in("ada", next_="/account/")
    assert response.headers["Location"] == "/account/mfa?next=%2Faccount%2F"  # a password at the provider is one factor
    assert ada.email in visitor.here.get("/account/").content.decode()
    assert Identity.objects.get(person_id=ada.person_id).subject == "ada"
    assert Event.objects.filter(verb=SystemFact.PERSON_LINKED, actor_id=ada.person_id).count() == 1
    entry = Event.objects.filter(verb=SystemFact.PERSON_SIGNED_IN, actor_id=ada.person_id).latest("sequence")
    assert entry.after["by"] == "oidc"


def test_the_link_holds_whatever_becomes_of_the_address(ada: Actor, provider: Provider) -> None:
    Visitor().sign_in("ada")
    provider.person("ada", email="married@example.net", is_verified=False)
    Visitor().sign_in("ada")
    assert _session_of(ada).identity_id == Identity.objects.get(person_id=ada.person_id).id
    assert not Person.objects.filter(email="married@example.net").exists()


def test_an_own_second_factor_is_asked_for_after_the_provider(ada: Actor) -> None:
    phone, _ = enrolled(ada)
    visitor = Visitor()
    assert visitor.sign_in("ada").headers["Location"] == "/sign-in/code?next=%2F"
    assert visitor.here.get("/account/").status_code == 302
    visitor.here.post("/sign-in/code", {"code": phone.code()})
    assert visitor.here.get("/account/").status_code == 200


def test_a_second_factor_of_the_provider_counts_where_the_operator_named_it(ada: Actor, told: Tell) -> None:
    enrolled(ada)
    told(oidc_mfa_acr=("loa-2",))
    visitor = Visitor()
    assert visitor.sign_in("ada", next_="/spaces/").headers["Location"] == "/spaces/"
    assert _session_of(ada).mfa_proved_at is not None


def test_another_value_than_the_named_one_counts_for_nothing(ada: Actor, told: Tell) -> None:
    told(oidc_mfa_acr=("loa-5",), oidc_mfa_amr=("mfa",))
    Visitor().sign_in("ada")
    assert _session_of(ada).mfa_proved_at is None


def test_somebody_new_in_a_mapped_group_becomes_known(world: World, provider: Provider, told: Tell) -> None:
    provider.person("grace", name="Grace Hopper", groups=["/hospital/guests"])
    refused = Visitor().sign_in("grace")
    assert refused.status_code == 403
    assert "grace@example.org is not known here" in refused.content.decode()
    told(sso_new_people="all")
    Visitor().sign_in("grace")
    assert Person.objects.get(email="grace@example.org").name == "Grace Hopper"


def test_an_address_outside_of_the_named_domains_makes_nobody_known(provider: Provider, told: Tell, db: None) -> None:
    told(sso_new_people="all", oidc_email_domains=("hospital.example",))
    provider.person("mallory", email="ceo@elsewhere.example")
    assert Visitor().sign_in("mallory").status_code == 403
    assert not Person.objects.filter(email="ceo@elsewhere.example").exists()


def test_an_address_that_is_not_verified_links_and_makes_nobody(ada: Actor, provider: Provider, told: Tell) -> None:
    told(sso_new_people="all")
    provider.person("mallory", email=ada.email, is_verified=False)
    provider.person("eve", email="eve@example.org", is_verified=False)
    assert Visitor().sign_in("mallory").status_code == 403
    assert Visitor().sign_in("eve").status_code == 403
    assert not Identity.objects.exists()
    assert not Person.objects.filter(email="eve@example.org").exists()


def test_somebody_known_is_not_linked_where_the_provider_is_not_believed(ada: Actor, told: Tell) -> None:
    told(oidc_email_domains=(), sso_new_people="all")
    response = Visitor().sign_in("ada")
    assert response.status_code == 403
    assert "STRONGROOM_OIDC_EMAIL_DOMAINS" in response.content.decode()
    assert not Identity.objects.exists()


def test_an_address_that_was_given_to_somebody_else_links_nobody(ada: Actor, provider: Provider) -> None:
    Visitor().sign_in("ada")
    provider.person("heir", email=ada.email)
    assert Visitor().sign_in("heir").status_code == 403
    assert Identity.objects.filter(person_id=ada.person_id).count() == 1


def test_somebody_disabled_stays_out(world: World, ada: Actor) -> None:
    Visitor().sign_in("ada")
    people.disable(world.administrator, ada.person_id, reason="left")
    visitor = Visitor()
    response = visitor.sign_in("ada")
    assert response.status_code == 403
    assert "was disabled" in response.content.decode()
    assert visitor.here.get("/account/").status_code == 302
    refused = Event.objects.filter(verb=SystemFact.PERSON_SIGNED_IN, outcome=Outcome.REFUSED).latest("sequence")
    assert "sso-disabled" in refused.reason


def test_somebody_removed_everywhere_is_not_made_anew(world: World, ada: Actor, told: Tell) -> None:
    told(sso_new_people="all")
    Visitor().sign_in("ada")
    people.remove(world.administrator, ada.person_id, reason="left")
    assert Visitor().sign_in("ada").status_code == 403


def test_proving_again_at_the_provider_opens_what_needs_it(world: World, ada: Actor, told: Tell) -> None:
    told(oidc_mfa_acr=("loa-2",))
    visitor = Visitor()
    visitor.sign_in("ada")
    session = _session_of(ada)
    BrowserSession.objects.filter(id=session.id).update(mfa_proved_at=None)
    page = visitor.here.get("/step-up?next=/account/").content.decode()
    assert "Prove it with the university" in page
    assert 'name="code"' not in page
    back = visitor.to_the_door("ada", path="/step-up", next_="/account/")
    response = visitor.come_back(back)
    assert response.headers["Location"] == "/account/"
    session.refresh_from_db()
    assert session.mfa_proved_at is not None
    assert Event.objects.filter(verb="mfa.prove", actor_id=ada.person_id).count() == 1


def test_proving_again_as_somebody_else_proves_nothing(ada: Actor, provider: Provider, told: Tell) -> None:
    told(oidc_mfa_acr=("loa-2",))
    visitor = Visitor()
    visitor.sign_in("ada")
    session = _session_of(ada)
    BrowserSession.objects.filter(id=session.id).update(mfa_proved_at=None)
    provider.person("eve")
    visitor.there.cookies.clear()
    response = visitor.come_back(visitor.to_the_door("eve", path="/step-up"))
    assert response.status_code == 403
    session.refresh_from_db()
    assert session.mfa_proved_at is None


def test_a_terminal_is_let_in_from_such_a_browser(ada: Actor, told: Tell) -> None:
    told(oidc_mfa_acr=("loa-2",))
    visitor = Visitor()
    visitor.sign_in("ada")
    begun = Client().post("/api/v1/device-logins", {"token_name": "laptop"}, content_type="application/json").json()
    page = visitor.here.get(f"/account/device?code={begun['user_code']}").content.decode()
    device = page.partition("/account/device/")[2].partition("/approve")[0]
    assert visitor.here.post(f"/account/device/{UUID(device)}/approve").status_code == 302
    claimed = Client().post(
        "/api/v1/device-logins/claim", {"device_code": begun["device_code"]}, content_type="application/json"
    )
    assert claimed.json()["person"]["email"] == ada.email
