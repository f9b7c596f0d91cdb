"""The terms for sensitive data: accepted once per version, before the first sensitive space in a browser."""

from dataclasses import replace
from pathlib import Path

from django.test import override_settings

from strongroom.actions import spaces, terms
from strongroom.actions.configuration import settings
from strongroom.core.errors import Conflict, Forbidden
from strongroom.core.vocabulary import Outcome, RiskLevel, Verb
from strongroom.db.models import Event
from tests.actions.attempts import refused
from tests.browsers import come, session_of, signed_in
from tests.world import World


def test_a_sensitive_space_waits_for_the_terms(world: World) -> None:
    ada = come(session_of(world.person("ada"), has_accepted=False))
    assert spaces.create(ada, name="Open", risk_level=RiskLevel.LOW)
    with refused(Verb.SPACE_CREATE, ada, Forbidden, "terms"):
        spaces.create(ada, name="Closed", risk_level=RiskLevel.MODERATE)
    shown = terms.show(ada)
    assert shown.accepted_at is None
    assert terms.accept(ada, version=shown.version).accepted_at
    assert spaces.create(ada, name="Closed", risk_level=RiskLevel.MODERATE)


def test_a_space_becomes_sensitive_only_with_the_terms(world: World) -> None:
    ada = come(session_of(world.person("ada"), has_accepted=False))
    space = spaces.create(ada, name="Open", risk_level=RiskLevel.LOW).space
    with refused(Verb.SPACE_EDIT, ada, Forbidden, "terms"):
        spaces.edit(ada, space.id, changes={"risk_level": RiskLevel.HIGH})


def test_another_text_is_another_version_and_is_accepted_anew(world: World, tmp_path: Path) -> None:
    ada = come(session_of(world.person("ada")))
    old = terms.show(ada)
    file = tmp_path / "terms.txt"
    file.write_text("Be careful.")
    with override_settings(STRONGROOM=replace(settings(), terms_file=file)):
        assert terms.show(ada).accepted_at is None
        with refused(Verb.TERMS_ACCEPT, ada, Conflict, "terms-changed"):
            terms.accept(ada, version=old.version)
        with refused(Verb.SPACE_CREATE, ada, Forbidden, "terms"):
            spaces.create(ada, name="Closed", risk_level=RiskLevel.HIGH)


def test_an_acceptance_stands_once_in_the_ledger(world: World) -> None:
    ada = world.person("ada")
    version = terms.show(ada).version
    first = terms.accept(ada, version=version)
    assert terms.accept(ada, version=version) == first
    entry = Event.objects.get(verb=Verb.TERMS_ACCEPT, outcome=Outcome.DONE, actor_id=ada.person_id)
    assert entry.after == {"version": version}


def test_the_page_shows_the_text_and_accepts_it(world: World) -> None:
    ada = world.person("ada")
    client = signed_in(ada, has_accepted=False)
    assert terms.show(ada).version in client.get("/account/terms").content.decode()
    assert client.post("/account/terms", {"version": "another"}).status_code == 409
    accepted = client.post("/account/terms", {"version": terms.show(ada).version, "next": "/account/"})
    assert accepted.headers["Location"] == "/account/"
    assert terms.show(ada).accepted_at is not None
