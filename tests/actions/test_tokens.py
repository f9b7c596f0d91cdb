"""Tokens: never wider than what they were made with, and ended at once."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from strongroom.actions import people, spaces, tokens
from strongroom.core.credentials import digest, make_token
from strongroom.core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from strongroom.core.vocabulary import RiskLevel, Scope, StaffRole, Verb
from strongroom.db.models import Event, Token
from tests.bearers import bearer, narrowed, secret_of
from tests.world import World

READ, WRITE, MANAGE = Scope.READ, Scope.WRITE, Scope.MANAGE


def test_a_secret_is_kept_only_as_its_digest_and_shown_by_no_repr(world: World) -> None:
    new = tokens.create(world.person(), name="laptop", scopes=[READ], days=1)
    assert new.token.secret_sha256 == digest(new.secret)
    assert new.secret not in repr(new)
    assert new.secret not in str(Event.objects.get(verb="token.create", subject="laptop").after)


def test_a_token_cannot_make_a_wider_one(world: World) -> None:
    narrow = narrowed(world.person(), scopes=(READ, MANAGE))
    assert tokens.create(narrow, name="same", scopes=[READ], days=1)
    with pytest.raises(Forbidden) as refusal:
        tokens.create(narrow, name="wider", scopes=[READ, WRITE], days=1)
    assert refusal.value.code == "scope"


def test_without_the_scope_manage_a_token_makes_none_at_all(world: World) -> None:
    with pytest.raises(Forbidden):
        tokens.create(narrowed(world.person(), scopes=(READ,)), name="x", scopes=[READ], days=1)


def test_a_token_of_one_space_makes_only_tokens_of_that_space(world: World) -> None:
    ada = world.person("ada")
    here, there = world.space(ada), world.space(ada)
    narrow = narrowed(ada, space_id=here.id)
    assert tokens.create(narrow, name="heir", scopes=[READ], days=1).token.space_id == here.id
    with pytest.raises(NotFound):
        tokens.create(narrow, name="stray", scopes=[READ], days=1, space_id=there.id)


def test_a_token_of_one_space_reaches_neither_the_platform_nor_other_spaces(world: World) -> None:
    root = world.administrator
    here, there = world.space(root), world.space(root)
    narrow = narrowed(root, space_id=here.id)
    assert [row.id for row in spaces.list_(narrow).rows] == [here.id]
    with pytest.raises(NotFound):
        spaces.show(narrow, there.id)
    with pytest.raises(Forbidden):
        people.list_(narrow)
    with pytest.raises(Forbidden):
        people.create(narrow, email="x@example.org", name="X")
    with pytest.raises(Forbidden):
        spaces.create(narrow, name="Another", risk_level=RiskLevel.LOW)


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_a_token_lives_as_long_as_the_settings_allow(world: World, days: int) -> None:
    with pytest.raises(Invalid) as refusal:
        tokens.create(world.person(), name="x", scopes=[READ], days=days)
    assert "days" in refusal.value.fields


def test_a_token_without_scopes_is_refused(world: World) -> None:
    with pytest.raises(Invalid):
        tokens.create(world.person(), name="x", scopes=[], days=1)


def test_a_revoked_token_is_told_so_and_an_expired_one_too(world: World) -> None:
    ada = world.person("ada")
    secret = secret_of(ada)
    row = Token.objects.get(secret_sha256=digest(secret))
    tokens.revoke(ada, row.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        bearer(secret)
    other = secret_of(ada)
    Token.objects.filter(secret_sha256=digest(other)).update(expires_at=timezone.now())
    with pytest.raises(Unauthenticated, match="expired"):
        bearer(other)


@pytest.mark.parametrize("secret", ["", "x", "srt_", "srt_" + "A" * 49, make_token(lambda count: bytes(count))])
def test_what_is_no_token_here_is_told_how_to_get_one(world: World, secret: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        bearer(secret)
    assert "strongroom login" in refusal.value.way_out


def test_a_read_only_token_can_still_end_itself(world: World) -> None:
    ada = world.person("ada")
    narrow = narrowed(ada, scopes=(READ,))
    tokens.revoke(narrow, "current")
    assert Token.objects.get(id=narrow.token_id).revoked_at
    other = narrowed(ada, scopes=(READ,))
    with pytest.raises(Forbidden):
        tokens.revoke(other, UUID(str(narrowed(ada).token_id)))


def test_nobody_but_an_administrator_ends_somebody_elses_token(world: World) -> None:
    ada, grace = narrowed(world.person("ada")), world.person("grace")
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    for actor in (grace, support):
        with pytest.raises(NotFound):
            tokens.revoke(actor, UUID(str(ada.token_id)))
    tokens.revoke(world.administrator, UUID(str(ada.token_id)))
    assert Token.objects.get(id=ada.token_id).revoked_at


def test_revoking_twice_is_fine_and_recorded_once(world: World) -> None:
    ada = narrowed(world.person("ada"))
    first = tokens.revoke(ada, "current")
    assert tokens.revoke(ada, "current").revoked_at == first.revoked_at
    assert Event.objects.filter(verb=Verb.TOKEN_REVOKE).count() == 1


def test_one_sees_ones_own_tokens_newest_first(world: World) -> None:
    ada = world.person("ada")
    secret_of(world.person("grace"))
    names = ["one", "two", "three"]
    for name in names:
        tokens.create(ada, name=name, scopes=[READ], days=1)
    first = tokens.list_(ada, limit=2)
    second = tokens.list_(ada, limit=10, cursor=first.next_cursor)
    assert [row.name for row in (*first.rows, *second.rows)] == ["three", "two", "one"]


def test_use_is_noted_at_most_once_a_minute(world: World, django_assert_num_queries: object) -> None:
    secret = secret_of(world.person())
    bearer(secret)
    with django_assert_num_queries(1):  # type: ignore[operator]
        bearer(secret)
    Token.objects.filter(secret_sha256=digest(secret)).update(last_used_at=timezone.now() - timedelta(minutes=2))
    bearer(secret)
    assert Token.objects.get(secret_sha256=digest(secret)).last_used_at > timezone.now() - timedelta(minutes=1)


def test_an_actor_without_a_token_has_no_current_one(world: World) -> None:
    with pytest.raises(NotFound):
        tokens.revoke(world.person(), "current")
