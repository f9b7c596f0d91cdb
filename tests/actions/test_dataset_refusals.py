"""What may not be done with a data set is refused with its reason, and a write's refusal stands in the ledger."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from strongroom.actions import datasets
from strongroom.core import authz, lifecycle
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from strongroom.core.vocabulary import Kind, RiskLevel, Role, Scope, StaffRole, State, Verb
from strongroom.db.models import Dataset, Event, Space
from tests.actions.attempts import ATTEMPTS, in_state, refused
from tests.actions.rules import assert_ledger_is_whole
from tests.world import World, actor_of

# A derivative, because only those can be promoted and everything else is the same for both kinds.
CLOSED = [(verb, state) for verb in ATTEMPTS for state in State if not lifecycle.may(verb, Kind.DERIVATIVE, state)]
WRITES = [verb for verb in ATTEMPTS if authz.RULES[verb].is_write]


def test_every_deed_that_a_state_can_close_is_tried_here() -> None:
    assert set(ATTEMPTS) == set(lifecycle.GATES)


@pytest.mark.parametrize("state", State)
def test_a_deed_that_its_state_closes_is_refused_and_changes_nothing(state: State, world: World) -> None:
    dataset = in_state(world, state, Kind.DERIVATIVE)
    owner = actor_of(dataset.created_by)
    before = Dataset.objects.values().get(id=dataset.id)
    closed = [verb for verb, where in CLOSED if where is state]
    assert closed
    for verb in closed:
        with refused(verb, owner, Conflict, "state", is_recorded=authz.RULES[verb].is_write):
            ATTEMPTS[verb](owner, dataset)
    assert Dataset.objects.values().get(id=dataset.id) == before
    assert_ledger_is_whole()


@pytest.mark.parametrize("verb", WRITES)
def test_who_is_not_of_the_space_does_not_learn_that_it_exists(verb: Verb, world: World) -> None:
    dataset, stranger = world.dataset(), world.person("stranger")
    with refused(verb, stranger, NotFound, "not-found"):
        ATTEMPTS[verb](stranger, dataset)


@pytest.mark.parametrize("verb", WRITES)
def test_who_may_only_look_does_not_write(verb: Verb, world: World) -> None:
    dataset = in_state(world, State.PENDING, Kind.DERIVATIVE)
    auditor = world.member(dataset.space, Role.AUDITOR)
    with refused(verb, auditor, Forbidden, "role"):
        ATTEMPTS[verb](auditor, dataset)


@pytest.mark.parametrize("verb", WRITES)
def test_a_token_that_may_only_read_does_not_write(verb: Verb, world: World) -> None:
    dataset = in_state(world, State.PENDING, Kind.DERIVATIVE)
    reader = replace(actor_of(dataset.created_by), scopes=frozenset({Scope.READ}))
    with refused(verb, reader, Forbidden, "scope"):
        ATTEMPTS[verb](reader, dataset)


@pytest.mark.parametrize("verb", WRITES)
def test_a_token_for_another_space_sees_nothing_here(verb: Verb, world: World) -> None:
    dataset = world.dataset()
    elsewhere = replace(actor_of(dataset.created_by), space_id=world.space().id)
    with refused(verb, elsewhere, NotFound, "not-found"):
        ATTEMPTS[verb](elsewhere, dataset)


def test_a_researcher_keeps_what_they_made_and_no_more(world: World) -> None:
    space = world.space()
    maker, other = world.member(space, Role.RESEARCHER), world.member(space, Role.RESEARCHER)
    made = world.dataset(space, by=maker, kind=Kind.DERIVATIVE)
    with refused(Verb.DATASET_EDIT, other, Forbidden, "role"):
        datasets.edit(other, made.id, changes={"description": "mine"})
    assert datasets.edit(maker, made.id, changes={"description": "mine"}).dataset.description == "mine"


Try = Callable[[World, Actor, Space], object]


def _create(**fields: object) -> Try:
    values = {"kind": Kind.ORIGINAL, "name": "Trial", **fields}
    return lambda world, owner, space: datasets.create(owner, space_id=space.id, **values)  # type: ignore[arg-type]


def _derive_from(make: Callable[[World, Space], object]) -> Try:
    def attempt(world: World, owner: Actor, space: Space) -> object:
        source = make(world, space)
        return datasets.create(
            owner,
            space_id=space.id,
            kind=Kind.DERIVATIVE,
            name="Derived",
            source_ids=[source],  # type: ignore[list-item]
        )

    return attempt


def _deleted(world: World, space: Space) -> object:
    dataset = world.dataset(space)
    datasets.delete(world.owner(space), dataset.id, confirm_name=dataset.name)
    return dataset.id


CREATIONS: dict[str, tuple[Try, type[Refusal], str]] = {
    "no name": (_create(name="  "), Invalid, "invalid"),
    "a name with a control character": (_create(name="Tri\x07al"), Invalid, "invalid"),
    "a name too long": (_create(name="x" * 201), Invalid, "invalid"),
    "a date that is none": (_create(needed_until="tomorrow"), Invalid, "invalid"),
    "too many classifications": (_create(data_classifications=[f"c{n}" for n in range(21)]), Invalid, "invalid"),
    "an original with sources": (
        lambda w, o, s: datasets.create(
            o, space_id=s.id, kind=Kind.ORIGINAL, name="Trial", source_ids=[w.dataset(s).id]
        ),
        Invalid,
        "invalid",
    ),
    "a derivative of nothing": (_create(kind=Kind.DERIVATIVE), Invalid, "invalid"),
    "a source that does not exist": (_derive_from(lambda w, s: uuid4()), Invalid, "invalid"),
    "a source of another space": (_derive_from(lambda w, s: w.dataset().id), Invalid, "invalid"),
    "a source that was deleted": (_derive_from(_deleted), Invalid, "invalid"),
}


@pytest.mark.parametrize("name", CREATIONS)
def test_a_data_set_is_not_created_with(name: str, world: World) -> None:
    attempt, kind, code = CREATIONS[name]
    space = world.space()
    owner = world.owner(space)
    with pytest.raises(kind) as refusal:
        attempt(world, owner, space)
    assert refusal.value.code == code
    assert not Dataset.objects.filter(name__in=["Trial", "Derived"]).exists()
    newest = Event.objects.order_by("-sequence")[0]
    assert (newest.verb, newest.outcome, newest.actor_email) == ("dataset.create", "refused", owner.email)
    assert newest.space_id == space.id


def test_a_low_risk_space_takes_no_data_set(world: World) -> None:
    space = world.space(risk_level=RiskLevel.LOW)
    owner = world.owner(space)
    with refused(Verb.DATASET_CREATE, owner, Conflict, "low-risk-space"):
        datasets.create(owner, space_id=space.id, kind=Kind.ORIGINAL, name="Trial")


def test_an_auditor_creates_nothing_and_a_researcher_no_original(world: World) -> None:
    space = world.space()
    for role in (Role.AUDITOR, Role.RESEARCHER):
        actor = world.member(space, role)
        with refused(Verb.DATASET_CREATE, actor, Forbidden, "role"):
            datasets.create(actor, space_id=space.id, kind=Kind.ORIGINAL, name="Trial")


def test_every_wrong_field_is_named_at_once(world: World) -> None:
    space = world.space()
    with pytest.raises(Invalid) as refusal:
        datasets.create(
            world.owner(space),
            space_id=space.id,
            kind=Kind.ORIGINAL,
            name="",
            data_format="x" * 201,
            owner_contact="\0",
        )
    assert set(refusal.value.fields) == {"name", "data_format", "owner_contact"}


def test_a_data_set_cannot_be_made_from_itself_however_long_the_way(world: World) -> None:
    space = world.space()
    owner = world.owner(space)
    first = world.dataset(space, kind=Kind.DERIVATIVE)
    second = world.dataset(space, kind=Kind.DERIVATIVE, source_ids=[first.id])
    third = world.dataset(space, kind=Kind.DERIVATIVE, source_ids=[second.id])
    for source in (first, second, third):
        with refused(Verb.DATASET_EDIT, owner, Invalid, "invalid"):
            datasets.edit(owner, first.id, changes={"source_ids": [source.id]})


@pytest.mark.parametrize("change", [{"colour": "blue"}, {"name": ""}, {"source_ids": [uuid4()]}, {"needed_until": "x"}])
def test_an_edit_that_makes_no_sense_changes_nothing(change: dict[str, object], world: World) -> None:
    dataset = world.dataset(kind=Kind.DERIVATIVE)
    owner = actor_of(dataset.created_by)
    with refused(Verb.DATASET_EDIT, owner, Invalid, "invalid"):
        datasets.edit(owner, dataset.id, changes={"description": "new", **change})
    assert Dataset.objects.get(id=dataset.id).description == ""


@pytest.mark.parametrize("field", ["name", "data_format", "data_classifications", "external_source", "needed_until"])
def test_after_finalizing_only_description_and_contact_can_be_edited(field: str, world: World) -> None:
    dataset = world.finalized()
    owner = actor_of(dataset.created_by)
    with refused(Verb.DATASET_EDIT, owner, Conflict, "state"):
        datasets.edit(owner, dataset.id, changes={field: "2031-12-31"})
    seen = datasets.edit(owner, dataset.id, changes={"description": "Read me", "owner_contact": "ada@example.org"})
    assert (seen.dataset.description, seen.dataset.owner_contact) == ("Read me", "ada@example.org")


@pytest.mark.parametrize("deed", [datasets.finalize, datasets.promote])
def test_an_empty_data_set_is_closed_only_when_told_that_it_is_meant_so(
    deed: Callable[..., object], world: World
) -> None:
    dataset = world.dataset(kind=Kind.DERIVATIVE)
    owner = actor_of(dataset.created_by)
    verb = Verb.DATASET_FINALIZE if deed is datasets.finalize else Verb.DATASET_PROMOTE
    with refused(verb, owner, Conflict, "empty"):
        deed(owner, dataset.id, confirm_name=dataset.name)
    deed(owner, dataset.id, confirm_name=dataset.name, allow_empty=True)
    assert world.settled(dataset).object_count == 0


@pytest.mark.parametrize("wrong", ["", "Trail", "trial"])
def test_what_cannot_be_undone_is_confirmed_by_name(wrong: str, world: World) -> None:
    dataset = world.dataset(name="Trial", kind=Kind.DERIVATIVE)
    owner = actor_of(dataset.created_by)
    world.uploaded(dataset)
    for verb, deed in {
        Verb.DATASET_FINALIZE: datasets.finalize,
        Verb.DATASET_PROMOTE: datasets.promote,
        Verb.DATASET_DELETE: datasets.delete,
    }.items():
        with refused(verb, owner, Invalid, "not-confirmed"):
            deed(owner, dataset.id, confirm_name=wrong)
    assert world.state(dataset) is State.PENDING


def test_retention_is_for_originals_and_for_the_future(world: World) -> None:
    original, derivative = world.dataset(), world.dataset(kind=Kind.DERIVATIVE)
    tomorrow = timezone.now() + timedelta(days=1)
    wrong = [(derivative, tomorrow), (original, timezone.now()), (original, tomorrow.replace(tzinfo=None))]
    for dataset, until in wrong:
        owner = actor_of(dataset.created_by)
        with refused(Verb.DATASET_FINALIZE, owner, Invalid, "invalid"):
            datasets.finalize(owner, dataset.id, confirm_name=dataset.name, allow_empty=True, locked_until=until)


def test_what_is_to_be_deleted_is_not_promoted(world: World) -> None:
    dataset = world.finalized(world.dataset(kind=Kind.DERIVATIVE))
    owner = actor_of(dataset.created_by)
    datasets.request_deletion(owner, dataset.id, reason="Superseded")
    with refused(Verb.DATASET_PROMOTE, owner, Conflict, "deletion-requested"):
        datasets.promote(owner, dataset.id, confirm_name=dataset.name)
    datasets.withdraw_deletion(owner, dataset.id)
    assert datasets.promote(owner, dataset.id, confirm_name=dataset.name).dataset.kind == Kind.ORIGINAL


def test_an_original_is_not_promoted(world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    with refused(Verb.DATASET_PROMOTE, owner, Conflict, "state"):
        datasets.promote(owner, dataset.id, confirm_name=dataset.name)


def test_a_finalized_data_set_is_deleted_by_two_people_or_not_at_all(world: World) -> None:
    dataset = world.finalized()
    owner, steward = actor_of(dataset.created_by), world.member(dataset.space, Role.STEWARD)
    for verb, attempt in {
        Verb.DATASET_CONFIRM_DELETION: lambda: datasets.confirm_deletion(
            steward, dataset.id, confirm_name=dataset.name
        ),
        Verb.DATASET_WITHDRAW_DELETION: lambda: datasets.withdraw_deletion(steward, dataset.id),
    }.items():
        with refused(verb, steward, Conflict, "not-requested"):
            attempt()
    with refused(Verb.DATASET_REQUEST_DELETION, owner, Invalid, "invalid"):
        datasets.request_deletion(owner, dataset.id, reason=" ")
    datasets.request_deletion(owner, dataset.id, reason="over")
    with refused(Verb.DATASET_REQUEST_DELETION, steward, Conflict, "already-requested"):
        datasets.request_deletion(steward, dataset.id, reason="over")
    with refused(Verb.DATASET_CONFIRM_DELETION, owner, Forbidden, "same-person"):
        datasets.confirm_deletion(owner, dataset.id, confirm_name=dataset.name)
    with refused(Verb.DATASET_CONFIRM_DELETION, steward, Invalid, "not-confirmed"):
        datasets.confirm_deletion(steward, dataset.id, confirm_name="another")
    assert world.state(dataset) is State.FINALIZED


def test_an_administrator_may_be_the_second_person_and_support_may_not(world: World) -> None:
    dataset = world.finalized()
    datasets.request_deletion(actor_of(dataset.created_by), dataset.id, reason="over")
    support = world.person("support", staff_role=StaffRole.SUPPORT)
    with refused(Verb.DATASET_CONFIRM_DELETION, support, Forbidden, "role"):
        datasets.confirm_deletion(support, dataset.id, confirm_name=dataset.name)
    datasets.confirm_deletion(world.administrator, dataset.id, confirm_name=dataset.name)
    assert world.settled(dataset).state == State.DELETED


def test_what_is_locked_is_not_deleted_before_its_date(world: World) -> None:
    dataset = world.finalized(locked_until=timezone.now() + timedelta(days=30))
    owner, steward = actor_of(dataset.created_by), world.member(dataset.space, Role.STEWARD)
    with refused(Verb.DATASET_REQUEST_DELETION, owner, Conflict, "locked"):
        datasets.request_deletion(owner, dataset.id, reason="over")
    # A request from before the lock does not help either.
    Dataset.objects.filter(id=dataset.id).update(
        deletion_requested_at=timezone.now(), deletion_requested_by=owner.person_id, deletion_reason="over"
    )
    with refused(Verb.DATASET_CONFIRM_DELETION, steward, Conflict, "locked"):
        datasets.confirm_deletion(steward, dataset.id, confirm_name=dataset.name)


def test_the_source_of_a_derivative_that_is_being_made_is_not_deleted(world: World) -> None:
    space = world.space()
    owner, steward = world.owner(space), world.member(space, Role.STEWARD)
    pending, finalized = world.dataset(space), world.finalized(world.dataset(space))
    derived = world.dataset(space, kind=Kind.DERIVATIVE, source_ids=[pending.id, finalized.id])
    with refused(Verb.DATASET_DELETE, owner, Conflict, "is-source"):
        datasets.delete(owner, pending.id, confirm_name=pending.name)
    with refused(Verb.DATASET_REQUEST_DELETION, owner, Conflict, "is-source"):
        datasets.request_deletion(owner, finalized.id, reason="over")
    datasets.edit(owner, derived.id, changes={"source_ids": [pending.id]})
    datasets.request_deletion(owner, finalized.id, reason="over")
    datasets.edit(owner, derived.id, changes={"source_ids": [pending.id, finalized.id]})
    with refused(Verb.DATASET_CONFIRM_DELETION, steward, Conflict, "is-source"):
        datasets.confirm_deletion(steward, finalized.id, confirm_name=finalized.name)


@pytest.mark.parametrize("limit", [0, 501])
def test_a_listing_has_a_limit_with_limits(limit: int, world: World) -> None:
    dataset = world.dataset()
    owner = actor_of(dataset.created_by)
    with refused(Verb.DATASET_CONTENTS, owner, Invalid, "invalid", is_recorded=False):
        datasets.contents(owner, dataset.id, limit=limit)
    with refused(Verb.DATASET_LIST, owner, Invalid, "invalid", is_recorded=False):
        datasets.list_(owner, limit=limit)


@pytest.mark.parametrize("search", ["a\0b", "x" * 201])
def test_a_search_for_what_no_name_can_hold_is_refused(search: str, world: World) -> None:
    with refused(Verb.DATASET_LIST, world.administrator, Invalid, "invalid", is_recorded=False):
        datasets.list_(world.administrator, search=search)
