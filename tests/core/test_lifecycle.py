"""What may be done in which kind and state: the whole table once more, by hand, and the sentences around it."""

import pytest

from strongroom.core.authz import RULES
from strongroom.core.errors import Conflict
from strongroom.core.lifecycle import GATES, TRANSITIONS, blocked, check, diagram, editable_fields, may
from strongroom.core.vocabulary import Kind, State, SystemFact, Verb

# P pending, G finalizing, F finalized, X deleting, D deleted; first for an original, then for a derivative
EXPECTED = """
dataset.show               PGFXD  PGFXD
dataset.edit               PGF    PGF
dataset.finalize           P      P
dataset.promote            -      PF
dataset.delete             P      P
dataset.request_deletion   F      F
dataset.withdraw_deletion  F      F
dataset.confirm_deletion   F      F
dataset.history            PGFXD  PGFXD
dataset.contents           PGF    PGF
dataset.connect            PF     PF
key.issue                  P      P
key.list                   PGFXD  PGFXD
key.reset                  P      P
key.renew                  P      P
key.revoke                 P      P
transfer.open              P      P
transfer.renew             P      P
transfer.record            P      P
transfer.close             P      P
transfer.list              PGFXD  PGFXD
transfer.show              PGFXD  PGFXD
transfer.recorded          PG     PGF
attachment.add             PGF    PGF
attachment.list            PGFXD  PGFXD
attachment.link            PGF    PGF
attachment.remove          P      P
attachment.supersede       F      F
grant.list                 PGFXD  PGFXD
grant.create               F      F
grant.edit                 GF     GF
grant.revoke               GF     GF
manifest.show              FXD    FXD
manifest.download          FXD    FXD
receipt.show               FXD    FXD
crate.show                 FXD    FXD
fixity.start               F      -
fixity.list                PGFXD  PGFXD
fixity.show                PGFXD  PGFXD
"""
LETTER = {
    State.PENDING: "P",
    State.FINALIZING: "G",
    State.FINALIZED: "F",
    State.DELETING: "X",
    State.DELETED: "D",
}
ROWS = {
    Verb(verb): {Kind.ORIGINAL: original, Kind.DERIVATIVE: derivative}
    for verb, original, derivative in map(str.split, EXPECTED.split("\n")[1:-1])
}
NOT_OF_ONE_DATASET = {Verb.DATASET_CREATE, Verb.DATASET_LIST}
NOUNS = ("dataset", "key", "transfer", "attachment", "grant", "manifest", "receipt", "crate", "fixity")


def test_every_verb_about_a_data_set_has_a_row_here_and_a_gate() -> None:
    about = {verb for verb in Verb if verb.split(".")[0] in NOUNS} - NOT_OF_ONE_DATASET
    assert set(ROWS) == set(GATES) == about


@pytest.mark.parametrize("verb", ROWS)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("state", State)
def test_a_verb_is_open_in_exactly_these_states(verb: Verb, kind: Kind, state: State) -> None:
    is_open = LETTER[state] in ROWS[verb][kind]
    assert may(verb, kind, state) is is_open
    if is_open:
        check(verb, kind=kind, state=state, name="Cohort 7")
        return
    with pytest.raises(Conflict) as refusal:
        check(verb, kind=kind, state=state, name="Cohort 7")
    assert refusal.value.code == "state"
    assert "“Cohort 7”" in str(refusal.value)
    assert refusal.value.way_out.endswith(".")
    assert dict(blocked(kind, state))[verb].endswith(refusal.value.way_out)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("state", State)
def test_what_is_blocked_is_what_is_not_open(kind: Kind, state: State) -> None:
    assert {verb for verb, _ in blocked(kind, state)} == {
        verb for verb, row in ROWS.items() if LETTER[state] not in row[kind]
    }


def test_a_verb_that_is_not_about_a_data_set_is_a_bug() -> None:
    with pytest.raises(KeyError):
        may(Verb.SPACE_CREATE, Kind.ORIGINAL, State.PENDING)


@pytest.mark.parametrize(
    ("verb", "kind", "state", "message", "way_out"),
    [
        (
            Verb.ATTACHMENT_REMOVE,
            Kind.ORIGINAL,
            State.FINALIZED,
            "You cannot remove an attachment now: “Cohort 7” is finalized, and attachments can be removed only while "
            "a data set is pending.",
            "Supersede the attachment with a new one, and say why.",
        ),
        (
            Verb.DATASET_PROMOTE,
            Kind.ORIGINAL,
            State.PENDING,
            "You cannot promote the data set now: “Cohort 7” is an original, and only a pending or finalized "
            "derivative can be promoted.",
            "It needs no promotion: finalizing an original makes it immutable.",
        ),
        (
            Verb.KEY_ISSUE,
            Kind.DERIVATIVE,
            State.FINALIZING,
            "You cannot issue an access key now: “Cohort 7” is being finalized, and access keys are for uploading to a "
            "pending data set.",
            "Wait until that is done, then look again.",
        ),
        (
            Verb.TRANSFER_RECORDED,
            Kind.ORIGINAL,
            State.FINALIZED,
            "You cannot see the digests that transfers recorded now: “Cohort 7” is finalized, and what transfers "
            "recorded is forgotten once the manifest of an original holds it, or the files go.",
            "`strongroom manifest download` fetches the manifest.",
        ),
        (
            Verb.DATASET_PROMOTE,
            Kind.ORIGINAL,
            State.DELETED,
            "You cannot promote the data set now: “Cohort 7” was deleted, and only a pending or finalized "
            "derivative can be promoted.",
            "Nothing can be done with it any more: only its record remains.",
        ),
    ],
)
def test_a_refusal_says_the_state_the_reason_and_the_way_out(
    verb: Verb, kind: Kind, state: State, message: str, way_out: str
) -> None:
    with pytest.raises(Conflict) as refusal:
        check(verb, kind=kind, state=state, name="Cohort 7")
    assert (str(refusal.value), refusal.value.way_out, refusal.value.status) == (message, way_out, 409)


def test_everything_can_be_edited_until_finalize_and_then_the_words_for_people() -> None:
    words = {"description", "owner_contact"}
    everything = words | {
        "name",
        "data_classifications",
        "data_format",
        "source_ids",
        "external_source",
        "needed_until",
    }
    assert {state: set(editable_fields(state)) for state in State} == {
        State.PENDING: everything,
        State.FINALIZING: words,
        State.FINALIZED: words,
        State.DELETING: set(),
        State.DELETED: set(),
    }


def test_the_only_ways_from_state_to_state() -> None:
    assert {(LETTER[start] + LETTER[end], str(deed)) for start, deed, end in TRANSITIONS} == {
        ("PG", "dataset.finalize"),
        ("PG", "dataset.promote"),
        ("FG", "dataset.promote"),
        ("GF", "dataset.finalized"),
        ("PX", "dataset.delete"),
        ("FX", "dataset.confirm_deletion"),
        ("XD", "dataset.deleted"),
    }


def test_people_leave_a_state_only_by_a_verb_open_in_it_that_writes() -> None:
    leaving = [(start, deed) for start, deed, _ in TRANSITIONS if isinstance(deed, Verb)]
    assert all(may(verb, Kind.DERIVATIVE, start) and RULES[verb].is_write for start, verb in leaving)
    moved = {(verb, state) for state, verb in leaving}
    movers = {verb for verb, _ in moved}
    open_somewhere = {(verb, state) for verb in movers for state in State for kind in Kind if may(verb, kind, state)}
    assert open_somewhere == moved


def test_no_state_is_a_dead_end_but_the_last_and_strongroom_finishes_what_it_began() -> None:
    starts = {start for start, _, _ in TRANSITIONS}
    assert starts == set(State) - {State.DELETED}
    by_itself = {start for start, deed, _ in TRANSITIONS if isinstance(deed, SystemFact)}
    assert by_itself == {State.FINALIZING, State.DELETING}


def test_the_diagram_shows_every_transition() -> None:
    lines = diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert lines[1] == "    [*] --> pending: dataset.create"
    assert lines[-1] == "    deleted --> [*]"
    assert lines[2:-1] == [f"    {start} --> {end}: {deed}" for start, deed, end in TRANSITIONS]
