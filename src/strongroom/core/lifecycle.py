"""What may be done with a data set in which kind and state, and why not otherwise.

Refuses to know who may do it (`core.authz`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.core.deeds import DEEDS
from strongroom.core.errors import Conflict
from strongroom.core.sentences import NOTHING, Sentence, say
from strongroom.core.vocabulary import Kind, State, SystemFact, Verb

_PENDING = frozenset({State.PENDING})
_FINALIZED = frozenset({State.FINALIZED})
_SETTLED = _PENDING | _FINALIZED
_ALIVE = _SETTLED | {State.FINALIZING}
_RECORDED = frozenset({State.FINALIZED, State.DELETING, State.DELETED})
_ALWAYS = frozenset(State)

_ALWAYS_EDITABLE = frozenset({"description", "owner_contact"})
_ALL_FIELDS = _ALWAYS_EDITABLE | {
    "name",
    "data_classifications",
    "data_format",
    "source_ids",
    "external_source",
    "needed_until",
}

TRANSITIONS: tuple[tuple[State, Verb | SystemFact, State], ...] = (
    (State.PENDING, Verb.DATASET_FINALIZE, State.FINALIZING),
    (State.PENDING, Verb.DATASET_PROMOTE, State.FINALIZING),
    (State.FINALIZED, Verb.DATASET_PROMOTE, State.FINALIZING),
    (State.FINALIZING, SystemFact.DATASET_FINALIZED, State.FINALIZED),
    (State.PENDING, Verb.DATASET_DELETE, State.DELETING),
    (State.FINALIZED, Verb.DATASET_CONFIRM_DELETION, State.DELETING),
    (State.DELETING, SystemFact.DATASET_DELETED, State.DELETED),
)


@dataclass(frozen=True)
class Gate:
    """When one verb is open. `why` completes "… is finalized, and …".

    `way_out` says what to do in a closed state, `other_kind` with a data set of the wrong kind. `but`: closed even so.
    """

    states: frozenset[State]
    why: Sentence = NOTHING
    kinds: frozenset[Kind] = frozenset(Kind)
    but: frozenset[tuple[Kind, State]] = frozenset()
    way_out: Mapping[State, Sentence] = field(default_factory=dict)
    other_kind: Sentence = NOTHING

    def is_open(self, kind: Kind, state: State) -> bool:
        """Whether the verb may be done with such a data set."""
        return kind in self.kinds and state in self.states and (kind, state) not in self.but


_KEYS = say("access keys are for uploading to a pending data set")
_TRANSFERS = say("transfers move files of a pending data set")
_NO_MORE_UPLOADS = {
    State.FINALIZED: say(
        "Work on a derivative from a server that was granted access; what is to be added to "
        "an original belongs in a derivative of it."
    )
}
_DELETION = say("only a finalized data set is deleted in two steps")
_DELETE_AT_ONCE = {State.PENDING: say("Delete it at once: a pending data set needs no second person.")}
_ACCESSIBLE = frozenset({State.FINALIZING, State.FINALIZED})  # a derivative that is being promoted keeps its grants
_GRANTS = say("servers are granted access to finalized data sets only")
_FILES_GONE = say("its files are gone or going")
_MANIFEST = say("the manifest and its receipt are made when a data set is finalized")
_FINALIZE_FIRST = {State.PENDING: say("Finalize it first.")}

GATES: Mapping[Verb, Gate] = {
    Verb.DATASET_SHOW: Gate(_ALWAYS),
    Verb.DATASET_EDIT: Gate(_ALIVE, say("its record is closed")),
    Verb.DATASET_FINALIZE: Gate(
        _PENDING,
        say("only a pending data set can be finalized"),
        way_out={State.FINALIZED: say("Nothing is left to do; a derivative can be promoted to an original.")},
    ),
    Verb.DATASET_PROMOTE: Gate(
        _SETTLED,
        say("only a pending or finalized derivative can be promoted"),
        kinds=frozenset({Kind.DERIVATIVE}),
        other_kind=say("It needs no promotion: finalizing an original makes it immutable."),
    ),
    Verb.DATASET_DELETE: Gate(
        _PENDING,
        say("only a pending data set can be deleted by one person"),
        way_out={State.FINALIZED: say("Request its deletion; a second person confirms it.")},
    ),
    Verb.DATASET_REQUEST_DELETION: Gate(_FINALIZED, _DELETION, way_out=_DELETE_AT_ONCE),
    Verb.DATASET_WITHDRAW_DELETION: Gate(_FINALIZED, _DELETION, way_out=_DELETE_AT_ONCE),
    Verb.DATASET_CONFIRM_DELETION: Gate(_FINALIZED, _DELETION, way_out=_DELETE_AT_ONCE),
    Verb.DATASET_HISTORY: Gate(_ALWAYS),
    Verb.DATASET_CONTENTS: Gate(_ALIVE, _FILES_GONE),
    Verb.DATASET_CONNECT: Gate(_SETTLED, say("nobody can connect to it")),
    Verb.KEY_LIST: Gate(_ALWAYS),
    Verb.KEY_ISSUE: Gate(_PENDING, _KEYS, way_out=_NO_MORE_UPLOADS),
    Verb.KEY_RESET: Gate(_PENDING, _KEYS, way_out=_NO_MORE_UPLOADS),
    Verb.KEY_RENEW: Gate(_PENDING, _KEYS, way_out=_NO_MORE_UPLOADS),
    Verb.KEY_REVOKE: Gate(
        _PENDING,
        _KEYS,
        way_out={State.FINALIZED: say("Nothing is left to do: its keys were removed when it was finalized.")},
    ),
    Verb.TRANSFER_LIST: Gate(_ALWAYS),
    Verb.TRANSFER_SHOW: Gate(_ALWAYS),
    Verb.TRANSFER_RECORDED: Gate(
        _ALIVE,
        say("what transfers recorded is forgotten once the manifest of an original holds it, or the files go"),
        but=frozenset({(Kind.ORIGINAL, State.FINALIZED)}),
        way_out={State.FINALIZED: say("`strongroom manifest download` fetches the manifest.")},
    ),
    Verb.TRANSFER_OPEN: Gate(_PENDING, _TRANSFERS, way_out=_NO_MORE_UPLOADS),
    Verb.TRANSFER_RENEW: Gate(_PENDING, _TRANSFERS, way_out=_NO_MORE_UPLOADS),
    Verb.TRANSFER_RECORD: Gate(_PENDING, _TRANSFERS, way_out=_NO_MORE_UPLOADS),
    Verb.TRANSFER_CLOSE: Gate(
        _PENDING,
        _TRANSFERS,
        way_out={State.FINALIZED: say("Nothing is left to do: its transfers ended when it was finalized.")},
    ),
    Verb.ATTACHMENT_LIST: Gate(_ALWAYS),
    Verb.ATTACHMENT_LINK: Gate(_ALIVE, say("its attachments are gone or going")),
    Verb.ATTACHMENT_ADD: Gate(_ALIVE, say("nothing can be attached to it any more")),
    Verb.ATTACHMENT_REMOVE: Gate(
        _PENDING,
        say("attachments can be removed only while a data set is pending"),
        way_out={State.FINALIZED: say("Supersede the attachment with a new one, and say why.")},
    ),
    Verb.ATTACHMENT_SUPERSEDE: Gate(
        _FINALIZED,
        say("attachments are superseded only once a data set is finalized"),
        way_out={State.PENDING: say("Remove the attachment and add the new one.")},
    ),
    Verb.GRANT_LIST: Gate(_ALWAYS),
    Verb.GRANT_CREATE: Gate(_FINALIZED, _GRANTS, way_out=_FINALIZE_FIRST),
    Verb.GRANT_EDIT: Gate(_ACCESSIBLE, _GRANTS, way_out=_FINALIZE_FIRST),
    Verb.GRANT_REVOKE: Gate(_ACCESSIBLE, _GRANTS, way_out=_FINALIZE_FIRST),
    Verb.MANIFEST_SHOW: Gate(_RECORDED, _MANIFEST, way_out=_FINALIZE_FIRST),
    Verb.MANIFEST_DOWNLOAD: Gate(_RECORDED, _MANIFEST, way_out=_FINALIZE_FIRST),
    Verb.RECEIPT_SHOW: Gate(_RECORDED, _MANIFEST, way_out=_FINALIZE_FIRST),
    Verb.CRATE_SHOW: Gate(_RECORDED, say("it is described for others once it is finalized"), way_out=_FINALIZE_FIRST),
    Verb.FIXITY_START: Gate(
        _FINALIZED,
        say("only what nobody can change is compared with its manifest"),
        kinds=frozenset({Kind.ORIGINAL}),
        way_out=_FINALIZE_FIRST,
        other_kind=say("Servers may still work in it. Promote it to an original first."),
    ),
    Verb.FIXITY_LIST: Gate(_ALWAYS),
    Verb.FIXITY_SHOW: Gate(_ALWAYS),
}

_IS_A: Mapping[Kind, Sentence] = {Kind.ORIGINAL: say("is an original"), Kind.DERIVATIVE: say("is a derivative")}
_CONDITION: Mapping[State, Sentence] = {
    State.PENDING: say("is pending"),
    State.FINALIZING: say("is being finalized"),
    State.FINALIZED: say("is finalized"),
    State.DELETING: say("is being deleted"),
    State.DELETED: say("was deleted"),
}
_WAY_OUT: Mapping[State, Sentence] = {
    State.PENDING: say("Finalize it first."),
    State.FINALIZING: say("Wait until that is done, then look again."),
    State.FINALIZED: say("Create a derivative that names it as a source."),
    State.DELETING: say("Nothing can be done with it any more: only its record will remain."),
    State.DELETED: say("Nothing can be done with it any more: only its record remains."),
}


def may(verb: Verb, kind: Kind, state: State) -> bool:
    """Whether such a data set permits the verb. Raises: KeyError for a verb that is not done with a data set."""
    return GATES[verb].is_open(kind, state)


def check(verb: Verb, *, kind: Kind, state: State, name: str) -> None:
    """Return if such a data set permits the verb.

    Raises: Conflict `state` that says what state it is in, why that closes the verb, and the way out.
    """
    if may(verb, kind, state):
        return
    what, why, way_out = _refusal(verb, kind, state)
    raise Conflict(
        say("You cannot {deed} now: “{name}” {what}, and {why}.", deed=DEEDS[verb], name=name, what=what, why=why),
        code="state",
        way_out=way_out,
    )


def blocked(kind: Kind, state: State) -> list[tuple[Verb, Sentence]]:
    """The verbs that such a data set does not permit, each with the reason, for pages that show what is closed."""
    closed = [verb for verb in GATES if not may(verb, kind, state)]
    return [(verb, _reason(*_refusal(verb, kind, state))) for verb in closed]


def editable_fields(state: State) -> frozenset[str]:
    """The fields of a data set that may still be edited."""
    if state is State.PENDING:
        return _ALL_FIELDS
    return _ALWAYS_EDITABLE if may(Verb.DATASET_EDIT, Kind.ORIGINAL, state) else frozenset()


def diagram() -> str:
    """The life of a data set as a Mermaid state diagram."""
    arrows = [f"    {start} --> {end}: {deed}" for start, deed, end in TRANSITIONS]
    born = f"    [*] --> {State.PENDING}: {Verb.DATASET_CREATE}"
    return "\n".join(["stateDiagram-v2", born, *arrows, f"    {State.DELETED} --> [*]", ""])


def _refusal(verb: Verb, kind: Kind, state: State) -> tuple[Sentence, Sentence, Sentence]:
    gate = GATES[verb]
    if kind not in gate.kinds and state in gate.states:
        return _IS_A[kind], gate.why, gate.other_kind
    return _CONDITION[state], gate.why, gate.way_out.get(state, _WAY_OUT[state])


def _reason(what: Sentence, why: Sentence, way_out: Sentence) -> Sentence:
    return say("It {what}, and {why}. {way_out}", what=what, why=why, way_out=way_out)
