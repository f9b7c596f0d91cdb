"""What may be done with a server of which kind and state: the whole table once more, by hand."""

import pytest

from strongroom.core.authz import RULES
from strongroom.core.errors import Conflict
from strongroom.core.server_lifecycle import GATES, TRANSITIONS, check, diagram, may
from strongroom.core.vocabulary import ServerKind, ServerState, SystemFact, Verb

# J joining, A active, X disabled, L lapsed, D deleted; first for a created server, then for an enrolled one
EXPECTED = """
server.show     JAXLD  JAXLD
server.rejoin   -      JA
server.edit     JAXL   JAXL
server.start    JAXL   -
server.stop     JAXL   -
server.disable  JAL    JAL
server.enable   XL     XL
server.delete   JAXL   JAXL
server.certify  A      A
grant.list      JAXLD  JAXLD
"""
LETTER = {
    ServerState.JOINING: "J",
    ServerState.ACTIVE: "A",
    ServerState.DISABLED: "X",
    ServerState.LAPSED: "L",
    ServerState.DELETED: "D",
}
ROWS = {
    Verb(verb): {ServerKind.CREATED: created, ServerKind.ENROLLED: enrolled}
    for verb, created, enrolled in map(str.split, EXPECTED.split("\n")[1:-1])
}
NOT_OF_ONE_SERVER = {Verb.SERVER_OFFERINGS, Verb.SERVER_CREATE, Verb.SERVER_ENROL, Verb.SERVER_LIST}


def test_every_verb_about_a_server_has_a_row_here_and_a_gate() -> None:
    about = {verb for verb in Verb if verb.startswith("server.")} - NOT_OF_ONE_SERVER
    assert set(ROWS) == set(GATES) == about | {Verb.GRANT_LIST}


@pytest.mark.parametrize("verb", ROWS)
@pytest.mark.parametrize("kind", ServerKind)
@pytest.mark.parametrize("state", ServerState)
def test_a_verb_is_open_in_exactly_these_states(verb: Verb, kind: ServerKind, state: ServerState) -> None:
    is_open = LETTER[state] in ROWS[verb][kind]
    assert may(verb, kind, state) is is_open
    if is_open:
        check(verb, kind=kind, state=state, name="genomics-1")
        return
    with pytest.raises(Conflict) as refusal:
        check(verb, kind=kind, state=state, name="genomics-1")
    is_of_the_kind = ROWS[verb][kind] == "-" and state is not ServerState.DELETED
    assert refusal.value.code == ("kind" if is_of_the_kind else "state")
    assert "“genomics-1”" in str(refusal.value)
    assert refusal.value.way_out.endswith(".")


@pytest.mark.parametrize(
    ("verb", "kind", "state", "message", "way_out"),
    [
        (
            Verb.SERVER_ENABLE,
            ServerKind.ENROLLED,
            ServerState.JOINING,
            "You cannot enable the server now: “genomics-1” has not joined yet, and only a server that was disabled or "
            "has lapsed is enabled.",
            "Run its join command on the machine.",
        ),
        (
            Verb.SERVER_STOP,
            ServerKind.ENROLLED,
            ServerState.ACTIVE,
            "You cannot stop the server now: “genomics-1” is a machine that was there before.",
            "Start or stop the machine itself; Strongroom does not run it.",
        ),
        (
            Verb.SERVER_STOP,
            ServerKind.ENROLLED,
            ServerState.DELETED,
            "You cannot stop the server now: “genomics-1” was deleted, and its machine is gone.",
            "Create or enrol another one.",
        ),
    ],
)
def test_a_refusal_says_the_state_the_reason_and_the_way_out(
    verb: Verb, kind: ServerKind, state: ServerState, message: str, way_out: str
) -> None:
    with pytest.raises(Conflict) as refusal:
        check(verb, kind=kind, state=state, name="genomics-1")
    assert (str(refusal.value), refusal.value.way_out, refusal.value.status) == (message, way_out, 409)


def test_the_only_ways_from_state_to_state() -> None:
    assert {(LETTER[start] + LETTER[end], str(deed)) for start, deed, end in TRANSITIONS} == {
        ("JA", "server.joined"),
        ("JX", "server.disable"),
        ("AX", "server.disable"),
        ("LX", "server.disable"),
        ("AL", "server.lapsed"),
        ("XA", "server.enable"),
        ("XJ", "server.enable"),
        ("LA", "server.enable"),
        ("JD", "server.delete"),
        ("AD", "server.delete"),
        ("XD", "server.delete"),
        ("LD", "server.delete"),
    }


def test_people_leave_a_state_only_by_a_verb_that_is_open_in_it_and_writes() -> None:
    for start, deed, _ in TRANSITIONS:
        if isinstance(deed, Verb):
            assert may(deed, ServerKind.ENROLLED, start)
            assert RULES[deed].is_write


def test_a_server_lapses_and_joins_by_itself_and_comes_back_only_by_somebody_s_word() -> None:
    by_itself = {(start, end) for start, deed, end in TRANSITIONS if isinstance(deed, SystemFact)}
    assert by_itself == {(ServerState.JOINING, ServerState.ACTIVE), (ServerState.ACTIVE, ServerState.LAPSED)}


def test_the_diagram_shows_every_transition() -> None:
    lines = diagram().splitlines()
    assert lines[:3] == [
        "stateDiagram-v2",
        "    [*] --> joining: server.create",
        "    [*] --> joining: server.enrol",
    ]
    assert lines[-1] == "    deleted --> [*]"
    assert lines[3:-1] == [f"    {start} --> {end}: {deed}" for start, deed, end in TRANSITIONS]
