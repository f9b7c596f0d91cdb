"""What may be done with a server of which kind and state, and why not otherwise.

Refuses to know who may do it (`core.authz`), and what may be done with a data set (`core.lifecycle`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.core.deeds import DEEDS
from strongroom.core.errors import Conflict
from strongroom.core.sentences import NOTHING, Sentence, say
from strongroom.core.vocabulary import ServerKind, ServerState, SystemFact, Verb

_ALWAYS = frozenset(ServerState)
_ALIVE = _ALWAYS - {ServerState.DELETED}
_WORKING = frozenset({ServerState.JOINING, ServerState.ACTIVE})
_ENDED = frozenset({ServerState.DISABLED, ServerState.LAPSED})
_CREATED = frozenset({ServerKind.CREATED})
_ENROLLED = frozenset({ServerKind.ENROLLED})

TRANSITIONS: tuple[tuple[ServerState, Verb | SystemFact, ServerState], ...] = (
    (ServerState.JOINING, SystemFact.SERVER_JOINED, ServerState.ACTIVE),
    (ServerState.JOINING, Verb.SERVER_DISABLE, ServerState.DISABLED),
    (ServerState.ACTIVE, Verb.SERVER_DISABLE, ServerState.DISABLED),
    (ServerState.LAPSED, Verb.SERVER_DISABLE, ServerState.DISABLED),
    (ServerState.ACTIVE, SystemFact.SERVER_LAPSED, ServerState.LAPSED),
    (ServerState.DISABLED, Verb.SERVER_ENABLE, ServerState.ACTIVE),
    (ServerState.DISABLED, Verb.SERVER_ENABLE, ServerState.JOINING),  # one that never joined
    (ServerState.LAPSED, Verb.SERVER_ENABLE, ServerState.ACTIVE),
    *((state, Verb.SERVER_DELETE, ServerState.DELETED) for state in ServerState if state in _ALIVE),
)


@dataclass(frozen=True)
class Gate:
    """When one verb is open. `why` completes "… is active, and …".

    `way_out` says what to do in a closed state, `other_kind` with a server of the wrong kind.
    """

    states: frozenset[ServerState]
    why: Sentence = NOTHING
    way_out: Mapping[ServerState, Sentence] = field(default_factory=dict)
    kinds: frozenset[ServerKind] = frozenset(ServerKind)
    other_kind: Sentence = NOTHING

    def is_open(self, kind: ServerKind, state: ServerState) -> bool:
        """Whether the verb may be done with such a server."""
        return kind in self.kinds and state in self.states


_ENABLE_FIRST = {ServerState.DISABLED: say("Enable it first."), ServerState.LAPSED: say("Enable it first.")}
_NOT_OURS = say("Start or stop the machine itself; Strongroom does not run it.")

GATES: Mapping[Verb, Gate] = {
    Verb.SERVER_SHOW: Gate(_ALWAYS),
    Verb.SERVER_REJOIN: Gate(
        _WORKING,
        say("only a server that may work is given a join command"),
        way_out=_ENABLE_FIRST,
        kinds=_ENROLLED,
        other_kind=say("Stop it and start it again; if that does not help, delete it and create another."),
    ),
    Verb.SERVER_EDIT: Gate(_ALIVE, say("its record is closed")),
    Verb.SERVER_START: Gate(_ALIVE, say("its machine is gone"), kinds=_CREATED, other_kind=_NOT_OURS),
    Verb.SERVER_STOP: Gate(_ALIVE, say("its machine is gone"), kinds=_CREATED, other_kind=_NOT_OURS),
    Verb.SERVER_DISABLE: Gate(
        _ALIVE - {ServerState.DISABLED},
        say("it reaches no data set"),
        way_out={ServerState.DISABLED: say("Nothing is left to do; enable it to give back what it was granted.")},
    ),
    Verb.SERVER_ENABLE: Gate(
        _ENDED,
        say("only a server that was disabled or has lapsed is enabled"),
        way_out={
            ServerState.JOINING: say("Run its join command on the machine."),
            ServerState.ACTIVE: say("Nothing is left to do."),
        },
    ),
    Verb.SERVER_DELETE: Gate(_ALIVE, say("its record remains")),
    Verb.SERVER_CERTIFY: Gate(
        frozenset({ServerState.ACTIVE}),
        say("people log in to active servers only"),
        way_out={ServerState.JOINING: say("Wait until its agent has been heard."), **_ENABLE_FIRST},
    ),
    Verb.GRANT_LIST: Gate(_ALWAYS),
}

_IS_A: Mapping[ServerKind, Sentence] = {
    ServerKind.CREATED: say("was made by Strongroom, and joins by itself"),
    ServerKind.ENROLLED: say("is a machine that was there before"),
}
_CONDITION: Mapping[ServerState, Sentence] = {
    ServerState.JOINING: say("has not joined yet"),
    ServerState.ACTIVE: say("is active"),
    ServerState.DISABLED: say("is disabled"),
    ServerState.LAPSED: say("was silent for too long"),
    ServerState.DELETED: say("was deleted"),
}
_GONE = say("Create or enrol another one.")


def may(verb: Verb, kind: ServerKind, state: ServerState) -> bool:
    """Whether such a server permits the verb. Raises: KeyError for a verb that is not done with a server."""
    return GATES[verb].is_open(kind, state)


def check(verb: Verb, *, kind: ServerKind, state: ServerState, name: str) -> None:
    """Return if such a server permits the verb.

    Raises: Conflict `state` (or `kind`) that says what it is, why that closes the verb, and the way out.
    """
    gate = GATES[verb]
    if gate.is_open(kind, state):
        return
    if kind not in gate.kinds and state is not ServerState.DELETED:
        raise Conflict(
            say("You cannot {deed} now: “{name}” {what}.", deed=DEEDS[verb], name=name, what=_IS_A[kind]),
            code="kind",
            way_out=gate.other_kind,
        )
    raise Conflict(
        say(
            "You cannot {deed} now: “{name}” {what}, and {why}.",
            deed=DEEDS[verb],
            name=name,
            what=_CONDITION[state],
            why=gate.why,
        ),
        code="state",
        way_out=gate.way_out.get(state, _GONE),
    )


def diagram() -> str:
    """The life of a server as a Mermaid state diagram."""
    arrows = [f"    {start} --> {end}: {deed}" for start, deed, end in TRANSITIONS]
    born = [f"    [*] --> {ServerState.JOINING}: {verb}" for verb in (Verb.SERVER_CREATE, Verb.SERVER_ENROL)]
    return "\n".join(["stateDiagram-v2", *born, *arrows, f"    {ServerState.DELETED} --> [*]", ""])
