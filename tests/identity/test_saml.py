"""Signing in through a real SAML provider, and every answer that must let nobody in: forged, wrapped, old."""

import base64
import copy
import re
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from django.http import HttpResponse
from django.test import Client
from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from strongroom.actions import mappings, people
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import IdentityKind, Role
from strongroom.db.models import BrowserSession, Identity, Membership
from tests.identity.provider import Provider, written
from tests.identity.visitor import Visitor
from tests.world import World

Tell = Callable[..., None]
Element = etree._Element
NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
SHA256 = ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256")


@pytest.fixture
def ada(world: World, provider: Provider, told: Tell) -> Actor:
    """Somebody known here, whom the provider knows by the same address."""
    actor = world.person("ada")
    provider.person("ada", email=actor.email)
    return actor


def test_somebody_known_is_linked_and_comes_in(ada: Actor) -> None:
    visitor = Visitor()
    response = visitor.send(visitor.saml_answer("ada", next_="/account/"))
    assert response.headers["Location"] == "/account/mfa?next=%2Faccount%2F"
    assert ada.email in visitor.here.get("/account/").content.decode()
    identity = Identity.objects.get(person_id=ada.person_id)
    again = Visitor()
    again.send(again.saml_answer("ada"))
    assert Identity.objects.get() == identity


def test_both_protocols_lead_to_one_person(ada: Actor) -> None:
    visitor = Visitor()
    visitor.send(visitor.saml_answer("ada"))
    Visitor().sign_in("ada")
    kinds = Identity.objects.filter(person_id=ada.person_id).values_list("kind", flat=True)
    assert sorted(kinds) == ["oidc", "saml"]


def test_groups_of_it_give_roles_apart_from_those_of_the_other_protocol(
    world: World, provider: Provider, ada: Actor
) -> None:
    space, other = world.space(), world.space()
    for kind, each in ((IdentityKind.SAML, space), (IdentityKind.OIDC, other)):
        mappings.add(
            world.administrator, provider=kind, group="/hospital/genomics", space_id=each.id, role=Role.STEWARD
        )
    provider.person("ada", email=ada.email, groups=["/hospital/genomics/stewards", "plain"])
    visitor = Visitor()
    visitor.send(visitor.saml_answer("ada"))
    given = Membership.objects.filter(person_id=ada.person_id)
    assert list(given.values_list("space_id", flat=True)) == [space.id]
    provider.person("ada", email=ada.email)
    again = Visitor()
    again.send(again.saml_answer("ada"))
    assert not given.exists()


def test_a_second_factor_of_it_counts_where_the_operator_named_its_context(ada: Actor, told: Tell) -> None:
    told(saml_mfa_contexts=(PASSWORD_CONTEXT,))
    visitor = Visitor()
    assert visitor.send(visitor.saml_answer("ada", next_="/spaces/")).headers["Location"] == "/spaces/"
    session = BrowserSession.objects.get()
    assert session.mfa_proved_at is not None
    BrowserSession.objects.update(mfa_proved_at=None)
    visitor.send(visitor.saml_answer("ada", path="/step-up"))
    session.refresh_from_db()
    assert session.mfa_proved_at is not None


def test_nobody_is_linked_where_the_operator_does_not_believe_its_addresses(ada: Actor, told: Tell) -> None:
    told(saml_email_domains=(), sso_new_people="all")
    visitor = Visitor()
    assert visitor.send(visitor.saml_answer("ada")).status_code == 403
    assert not Identity.objects.exists()


def test_somebody_disabled_stays_out(world: World, ada: Actor) -> None:
    visitor = Visitor()
    answer = visitor.saml_answer("ada")
    people.disable(world.administrator, ada.person_id, reason="left")
    assert visitor.send(answer).status_code == 403


def test_what_another_site_sends_without_our_cookie_is_sent_once_more_from_here(ada: Actor) -> None:
    visitor = Visitor()
    answer = visitor.saml_answer("ada")
    page = Client(enforce_csrf_checks=True).post("/sign-in/saml/answer", {"SAMLResponse": answer})
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers
    assert answer in page.content.decode()
    response = visitor.here.post("/sign-in/saml/answer", {"SAMLResponse": answer, "again": "1"})
    assert response.status_code == 302


def test_what_it_must_know_of_us_is_there_for_it(told: Tell, db: None) -> None:
    page = Client().get("/sign-in/saml/metadata")
    assert page.headers["Content-Type"] == "application/samlmetadata+xml"
    assert b'entityID="http://127.0.0.1:8400/sign-in/saml/metadata"' in page.content
    assert b"http://127.0.0.1:8400/sign-in/saml/answer" in page.content


# Attacks


def _refused(visitor: Visitor, response: HttpResponse) -> bool:
    return response.status_code == 401 and not BrowserSession.objects.exists() and not Identity.objects.exists()


def test_an_answer_counts_once(ada: Actor) -> None:
    visitor = Visitor()
    answer = visitor.saml_answer("ada")
    assert visitor.send(answer).status_code == 302
    visitor.here.get("/sign-in/saml")
    assert visitor.send(answer).status_code == 401


def test_an_answer_that_another_browser_got_lets_nobody_in(ada: Actor) -> None:
    answer, victim = Visitor().saml_answer("ada"), Visitor()
    assert victim.here.post("/sign-in/saml/answer", {"SAMLResponse": answer, "again": "1"}).status_code == 401
    victim.here.get("/sign-in/saml")
    assert _refused(victim, victim.send(answer))


def test_an_answer_that_nobody_asked_for_lets_nobody_in(ada: Actor, provider: Provider) -> None:
    visitor = Visitor()
    answer = visitor.saml_through(f"{provider.url}/saml/singleSignOn?IDPInitiated=1&spConfKey=strongroom", "ada")
    assert b"InResponseTo" not in base64.b64decode(answer)
    visitor.here.get("/sign-in/saml")
    assert _refused(visitor, visitor.send(answer))


def test_an_assertion_that_nobody_asked_for_cannot_be_put_into_an_answer_that_was(
    ada: Actor, provider: Provider
) -> None:
    visitor = Visitor()
    document = _open(
        visitor.saml_through(f"{provider.url}/saml/singleSignOn?IDPInitiated=1&spConfKey=strongroom", "ada")
    )
    document.remove(_one(document, "/samlp:Response/ds:Signature"))  # the assertion keeps its own
    visitor.here.get("/sign-in/saml")
    document.set("InResponseTo", visitor.here.session["signon"]["kept"]["request_id"])
    assert _refused(visitor, visitor.send(_close(document)))


@pytest.mark.parametrize("answer", ["", "%%%", base64.b64encode(b"<a/>").decode(), "A" * 600_000])
def test_what_is_no_answer_is_refused(ada: Actor, answer: str) -> None:
    visitor = Visitor()
    visitor.here.get("/sign-in/saml")
    assert _refused(visitor, visitor.send(answer))


def _open(answer: str) -> Element:
    return etree.fromstring(base64.b64decode(answer))


def _close(document: Element) -> str:
    return base64.b64encode(etree.tostring(document)).decode()


def _one(document: Element, path: str) -> Element:
    found = document.xpath(path, namespaces=NS)
    assert found
    return found[0]


def _stripped(document: Element) -> Element:
    for signature in document.xpath("//ds:Signature", namespaces=NS):
        signature.getparent().remove(signature)
    return document


def _signed(document: Element, pem: str, certificate: str) -> Element:
    """The answer with its assertion signed anew."""
    bare = _stripped(document)
    assertion = _one(bare, "//saml:Assertion")
    signed = OneLogin_Saml2_Utils.add_sign(etree.tostring(assertion), pem, certificate, False, *SHA256)
    assertion.getparent().replace(assertion, etree.fromstring(signed))
    return bare


def _evil(document: Element) -> Element:
    """An assertion as an attacker would like it: unsigned, of somebody else."""
    assertion = _stripped(copy.deepcopy(_one(document, "//saml:Assertion")))
    _one(assertion, ".//saml:NameID").text = "somebody-else"
    return assertion


def test_what_the_tests_sign_with_the_right_key_is_taken(ada: Actor, provider: Provider) -> None:
    visitor = Visitor()
    document = _open(visitor.saml_answer("ada"))
    assert visitor.send(_close(_signed(document, *provider.signing))).status_code == 302


def test_an_answer_without_signature_is_refused(ada: Actor) -> None:
    visitor = Visitor()
    assert _refused(visitor, visitor.send(_close(_stripped(_open(visitor.saml_answer("ada"))))))


def test_an_answer_that_somebody_else_signed_is_refused(ada: Actor) -> None:
    visitor = Visitor()
    pem, _, certificate = written(generate_private_key(65537, 2048))
    document = _signed(_open(visitor.saml_answer("ada")), pem, certificate)
    assert _refused(visitor, visitor.send(_close(document)))


def test_an_answer_that_was_changed_on_the_way_is_refused(ada: Actor) -> None:
    visitor = Visitor()
    document = _open(visitor.saml_answer("ada"))
    _one(document, "//saml:NameID").text = "somebody-else"
    assert _refused(visitor, visitor.send(_close(document)))


@pytest.mark.parametrize(
    ("path", "attribute", "value"),
    [
        ("//saml:Conditions", "NotOnOrAfter", "2026-01-01T00:00:00Z"),
        ("//saml:Conditions", "NotBefore", "2100-01-01T00:00:00Z"),
        ("//saml:SubjectConfirmationData", "NotOnOrAfter", "2026-01-01T00:00:00Z"),
        ("//saml:SubjectConfirmationData", "Recipient", "https://another.example/answer"),
        ("//saml:SubjectConfirmationData", "InResponseTo", "_another"),
        ("//saml:Audience", "", "https://another.example/"),
        ("//saml:Assertion/saml:Issuer", "", "https://another.example/"),
        ("//saml:NameID", "", ""),
        ("//saml:NameID", "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
        ("//saml:SubjectConfirmationData", "Recipient", None),
        ("//saml:SubjectConfirmationData", "InResponseTo", None),
        ("//saml:SubjectConfirmationData", "NotOnOrAfter", None),
        ("//saml:AudienceRestriction", "", None),
        ("/samlp:Response", "InResponseTo", None),
        ("/samlp:Response", "InResponseTo", "_another"),
        ("/samlp:Response", "Destination", "https://another.example/answer"),
        ("//samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"),
    ],
)
def test_an_answer_that_is_not_for_us_now_is_refused(
    ada: Actor, provider: Provider, path: str, attribute: str, value: str | None
) -> None:
    visitor = Visitor()
    document = _open(visitor.saml_answer("ada"))
    found = _one(document, path)
    if value is None and attribute:
        del found.attrib[attribute]
    elif value is None:
        found.getparent().remove(found)
    elif attribute:
        found.set(attribute, value)
    else:
        found.text = value
    assert _refused(visitor, visitor.send(_close(_signed(document, *provider.signing))))


# Wrapping: the signature stays right, and what is read is to be something else. Source: Somorovsky et al., "On Breaking
# SAML: Be Whoever You Want to Be" (USENIX Security 2012), the eight variants.


def _beside_before(document: Element) -> Element:
    evil, good = _evil(document), _one(document, "//saml:Assertion")
    good.addprevious(evil)
    return document


def _beside_after(document: Element) -> Element:
    evil, good = _evil(document), _one(document, "//saml:Assertion")
    good.addnext(evil)
    return document


def _beside_with_another_id(document: Element) -> Element:
    evil = _evil(document)
    evil.set("ID", "_evil")
    _one(document, "//saml:Assertion").addprevious(evil)
    return document


def _around(document: Element) -> Element:
    """The signed assertion becomes a child of the evil one."""
    evil, good = _evil(document), _one(document, "//saml:Assertion")
    evil.set("ID", "_evil")
    good.getparent().replace(good, evil)
    evil.append(good)
    return document


def _in_the_signature(document: Element) -> Element:
    """The evil assertion carries the signature, which holds the signed assertion as an object."""
    evil, good = _evil(document), _one(document, "//saml:Assertion")
    evil.set("ID", "_evil")
    signature = copy.deepcopy(_one(good, "./ds:Signature"))
    good.getparent().replace(good, evil)
    evil.insert(1, signature)
    etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(_stripped(good))
    return document


def _in_extensions(document: Element) -> Element:
    """The signed assertion hides where extensions may stand."""
    evil, good = _evil(document), _one(document, "//saml:Assertion")
    evil.set("ID", "_evil")
    good.getparent().replace(good, evil)
    extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
    extensions.append(good)
    document.insert(1, extensions)
    return document


def _signed_answer_within_another(document: Element) -> Element:
    """The whole signed answer hides in one that says what the attacker wants."""
    outer = _stripped(copy.deepcopy(document))
    outer.set("ID", "_evil")
    _one(outer, "//saml:NameID").text = "somebody-else"
    signature = copy.deepcopy(_one(document, "/samlp:Response/ds:Signature"))
    outer.insert(1, signature)
    etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(_stripped(copy.deepcopy(document)))
    return outer


@pytest.mark.parametrize(
    "wrap",
    [
        _beside_before,
        _beside_after,
        _beside_with_another_id,
        _around,
        _in_the_signature,
        _in_extensions,
        _signed_answer_within_another,
    ],
    ids=lambda wrap: wrap.__name__,
)
@pytest.mark.parametrize("has_outer_signature", [True, False])
def test_a_signature_counts_only_for_what_it_signs(
    ada: Actor, wrap: Callable[[Element], Element], has_outer_signature: bool
) -> None:
    visitor = Visitor()
    document = _open(visitor.saml_answer("ada"))
    wrapped = wrap(document)
    outer = wrapped.xpath("/samlp:Response/ds:Signature", namespaces=NS)
    if not has_outer_signature and outer:
        wrapped.remove(outer[0])
    assert _refused(visitor, visitor.send(_close(wrapped)))


def test_a_comment_does_not_cut_a_name_short(world: World, provider: Provider, told: Tell) -> None:
    """Comments are not signed: with one, `ada@example.org.evil.example` must not become `ada@example.org`."""
    ada = world.person("ada")
    told(sso_new_people="all", saml_email_domains=("example.org", "example.org.evil.example"))
    provider.person("mallory", email=f"{ada.email}.evil.example")
    visitor = Visitor()
    raw = base64.b64decode(visitor.saml_answer("mallory")).decode()
    cut = re.sub(re.escape(f"{ada.email}.evil"), f"{ada.email}<!-- -->.evil", raw)
    assert cut != raw
    visitor.send(base64.b64encode(cut.encode()).decode())
    assert not Identity.objects.filter(person_id=ada.person_id).exists()


def test_an_answer_with_entities_is_refused(ada: Actor) -> None:
    visitor = Visitor()
    raw = base64.b64decode(visitor.saml_answer("ada")).decode()
    entity = '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + raw.replace(ada.email, "&e;")
    assert _refused(visitor, visitor.send(base64.b64encode(entity.encode()).decode()))
