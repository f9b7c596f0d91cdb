"""Who may do what: one row per verb, and the refusal of everybody else.

Refuses to know whether a thing may be done *now* (`core.lifecycle`) and who may see it at all (`visible_to`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from strongroom.core.deeds import DEEDS
from strongroom.core.errors import Forbidden
from strongroom.core.sentences import Sentence, both, either, opening, say
from strongroom.core.vocabulary import Role, Scope, StaffRole, Verb


@dataclass(frozen=True)
class Rule:
    """Who may do one thing.

    `creator`: also a researcher, on a data set they created. `anyone`: everybody signed in.
    `needs_reason_from_staff`: a person who may do it only as staff must say why. `needs_proof`: whoever does it in a
    browser must have proved their second factor there not long ago.
    """

    roles: frozenset[Role]
    staff: frozenset[StaffRole]
    scope: Scope
    is_write: bool
    creator: bool = False
    anyone: bool = False
    needs_reason_from_staff: bool = False
    needs_proof: bool = False

    def admits(self, role: Role | None, staff_role: StaffRole | None, *, is_creator: bool) -> bool:
        """Whether it admits somebody with this role in the space and this one on the platform."""
        is_own = self.creator and is_creator and role is Role.RESEARCHER
        return self.anyone or role in self.roles or staff_role in self.staff or is_own


_NOBODY: frozenset[Role] = frozenset()
_OWNER = frozenset({Role.OWNER})
_STEWARDS = _OWNER | {Role.STEWARD}
_WORKERS = _STEWARDS | {Role.RESEARCHER}
_READERS = frozenset(Role)
_OVERSEERS = _STEWARDS | {Role.AUDITOR}
_AUDITORS = _OWNER | {Role.AUDITOR}

_NO_STAFF: frozenset[StaffRole] = frozenset()
_ADMIN = frozenset({StaffRole.ADMINISTRATOR})
_SUPPORT = frozenset({StaffRole.SUPPORT})
_STAFF = frozenset(StaffRole)


def _read(roles: frozenset[Role], staff: frozenset[StaffRole] = _NO_STAFF, *, creator: bool = False) -> Rule:
    return Rule(roles, staff, Scope.READ, is_write=False, creator=creator)


def _write(
    roles: frozenset[Role],
    staff: frozenset[StaffRole] = _NO_STAFF,
    *,
    creator: bool = False,
    needs_reason_from_staff: bool = False,
) -> Rule:
    return Rule(
        roles, staff, Scope.WRITE, is_write=True, creator=creator, needs_reason_from_staff=needs_reason_from_staff
    )


def _manage(roles: frozenset[Role], staff: frozenset[StaffRole] = _NO_STAFF) -> Rule:
    return Rule(roles, staff, Scope.MANAGE, is_write=True)


def _open(scope: Scope) -> Rule:
    return Rule(_NOBODY, _NO_STAFF, scope, is_write=scope is not Scope.READ, anyone=True)


_RULES: Mapping[Verb, Rule] = {
    Verb.PERSON_CREATE: _manage(_NOBODY, _ADMIN),
    Verb.PERSON_LIST: _read(_NOBODY, _STAFF),
    Verb.PERSON_SHOW: _read(_NOBODY, _STAFF),
    Verb.PERSON_EDIT: _manage(_NOBODY, _ADMIN),
    Verb.PERSON_INVITE: _manage(_NOBODY, _STAFF),
    Verb.PERSON_DISABLE: _manage(_NOBODY, _ADMIN),
    Verb.PERSON_ENABLE: _manage(_NOBODY, _ADMIN),
    Verb.PERSON_REMOVE: _manage(_NOBODY, _ADMIN),
    Verb.SESSION_LIST: _open(Scope.READ),
    Verb.SESSION_END: _open(Scope.MANAGE),
    Verb.PASSKEY_LIST: _open(Scope.READ),
    Verb.PASSKEY_REMOVE: _open(Scope.MANAGE),
    Verb.TERMS_SHOW: _open(Scope.READ),
    Verb.TERMS_ACCEPT: _open(Scope.MANAGE),
    Verb.TOKEN_CREATE: _open(Scope.MANAGE),
    Verb.TOKEN_LIST: _open(Scope.READ),
    Verb.TOKEN_REVOKE: _open(Scope.MANAGE),
    Verb.SPACE_CREATE: _open(Scope.MANAGE),
    Verb.SPACE_LIST: _open(Scope.READ),
    Verb.SPACE_SHOW: _read(_READERS, _STAFF),
    Verb.SPACE_EDIT: _manage(_OWNER, _ADMIN),
    Verb.MEMBER_ADD: _manage(_OWNER, _ADMIN),
    Verb.MEMBER_LIST: _read(_OVERSEERS, _ADMIN),
    Verb.MEMBER_EDIT: _manage(_OWNER, _ADMIN),
    Verb.MEMBER_REMOVE: _manage(_OWNER, _ADMIN),
    Verb.MAPPING_ADD: _manage(_NOBODY, _ADMIN),
    Verb.MAPPING_LIST: _read(_NOBODY, _STAFF),
    Verb.MAPPING_REMOVE: _manage(_NOBODY, _ADMIN),
    Verb.DATASET_CREATE: _write(_WORKERS),
    Verb.DATASET_LIST: _open(Scope.READ),
    Verb.DATASET_SHOW: _read(_READERS, _STAFF),
    Verb.DATASET_EDIT: _write(_STEWARDS, creator=True),
    Verb.DATASET_FINALIZE: _write(_STEWARDS, creator=True),
    Verb.DATASET_PROMOTE: _write(_STEWARDS, creator=True),
    Verb.DATASET_DELETE: _write(_STEWARDS, creator=True),
    Verb.DATASET_REQUEST_DELETION: _write(_STEWARDS, creator=True),
    Verb.DATASET_WITHDRAW_DELETION: _write(_STEWARDS, creator=True),
    Verb.DATASET_CONFIRM_DELETION: _write(_STEWARDS, _ADMIN),
    Verb.DATASET_HISTORY: _read(_READERS, _STAFF),
    Verb.DATASET_CONTENTS: _read(_READERS),
    Verb.DATASET_CONNECT: _read(_WORKERS),
    Verb.KEY_ISSUE: _write(_STEWARDS, creator=True),
    Verb.KEY_LIST: _read(_OVERSEERS, _SUPPORT, creator=True),
    Verb.KEY_RESET: _write(_STEWARDS, _SUPPORT, creator=True, needs_reason_from_staff=True),
    Verb.KEY_RENEW: _write(_STEWARDS, creator=True),
    Verb.KEY_REVOKE: _write(_STEWARDS, creator=True),
    Verb.TRANSFER_OPEN: _write(_STEWARDS, creator=True),
    Verb.TRANSFER_RENEW: _write(_STEWARDS, creator=True),
    Verb.TRANSFER_RECORD: _write(_STEWARDS, creator=True),
    Verb.TRANSFER_CLOSE: _write(_STEWARDS, creator=True),
    Verb.TRANSFER_LIST: _read(_OVERSEERS, _SUPPORT, creator=True),
    Verb.TRANSFER_SHOW: _read(_OVERSEERS, _SUPPORT, creator=True),
    Verb.TRANSFER_RECORDED: _read(_READERS),
    Verb.ATTACHMENT_ADD: _write(_STEWARDS, creator=True),
    Verb.ATTACHMENT_LIST: _read(_READERS),
    Verb.ATTACHMENT_LINK: _read(_READERS),
    Verb.ATTACHMENT_REMOVE: _write(_STEWARDS, creator=True),
    Verb.ATTACHMENT_SUPERSEDE: _write(_STEWARDS, creator=True),
    Verb.SERVER_OFFERINGS: _open(Scope.READ),
    Verb.SERVER_CREATE: _write(_STEWARDS),
    Verb.SERVER_ENROL: _write(_STEWARDS),
    Verb.SERVER_REJOIN: _write(_STEWARDS),
    Verb.SERVER_LIST: _open(Scope.READ),
    Verb.SERVER_SHOW: _read(_READERS, _STAFF),
    Verb.SERVER_EDIT: _write(_STEWARDS),
    Verb.SERVER_START: _write(_WORKERS),
    Verb.SERVER_STOP: _write(_WORKERS),
    Verb.SERVER_DISABLE: _write(_STEWARDS, _ADMIN, needs_reason_from_staff=True),
    Verb.SERVER_ENABLE: _write(_STEWARDS),
    Verb.SERVER_DELETE: _write(_STEWARDS),
    Verb.SERVER_CERTIFY: _write(_WORKERS),
    Verb.GRANT_CREATE: _write(_STEWARDS, creator=True),
    Verb.GRANT_LIST: _read(_READERS, _STAFF),
    Verb.GRANT_EDIT: _write(_STEWARDS, creator=True),
    Verb.GRANT_REVOKE: _write(_STEWARDS, _ADMIN, creator=True, needs_reason_from_staff=True),
    Verb.MFA_SHOW: _open(Scope.READ),
    Verb.MFA_ENROL: _open(Scope.MANAGE),
    Verb.MFA_CONFIRM: _open(Scope.MANAGE),
    Verb.MFA_PROVE: Rule(_NOBODY, _NO_STAFF, Scope.READ, is_write=True, anyone=True),
    Verb.MFA_REMOVE: _open(Scope.MANAGE),
    Verb.MFA_RESET: _manage(_NOBODY, _ADMIN),
    Verb.MANIFEST_SHOW: _read(_READERS),
    Verb.MANIFEST_DOWNLOAD: _read(_READERS),
    Verb.RECEIPT_SHOW: _read(_READERS),
    Verb.CRATE_SHOW: _read(_READERS),
    Verb.FIXITY_START: _write(_STEWARDS, creator=True),
    Verb.FIXITY_LIST: _read(_READERS),
    Verb.FIXITY_SHOW: _read(_READERS),
    Verb.AUDIT_LIST: _read(_AUDITORS, _ADMIN),
    Verb.AUDIT_EXPORT: _read(_AUDITORS, _ADMIN),
    Verb.AUDIT_VERIFY: _read(_AUDITORS, _ADMIN),
    Verb.SYSTEM_STATUS: _read(_NOBODY, _STAFF),
}
# What shows a secret, makes somebody more than they were, or cannot be undone. Taking access away needs no proof:
# it must be possible at once. Nor does renewing a transfer, which goes on for hours while nobody sits there.
NEED_PROOF = frozenset(
    {
        Verb.PERSON_CREATE,
        Verb.PERSON_EDIT,
        Verb.PERSON_INVITE,
        Verb.PERSON_ENABLE,
        Verb.PERSON_REMOVE,
        Verb.TOKEN_CREATE,
        Verb.MEMBER_ADD,
        Verb.MEMBER_EDIT,
        Verb.MAPPING_ADD,
        Verb.DATASET_FINALIZE,
        Verb.DATASET_PROMOTE,
        Verb.DATASET_DELETE,
        Verb.DATASET_REQUEST_DELETION,
        Verb.DATASET_CONFIRM_DELETION,
        Verb.KEY_ISSUE,
        Verb.KEY_RESET,
        Verb.KEY_RENEW,
        Verb.TRANSFER_OPEN,
        Verb.SERVER_CERTIFY,
        Verb.MFA_RESET,
        Verb.PASSKEY_REMOVE,
    }
)
RULES: Mapping[Verb, Rule] = {verb: replace(rule, needs_proof=verb in NEED_PROOF) for verb, rule in _RULES.items()}


def check(
    verb: Verb, *, role: Role | None, staff_role: StaffRole | None, is_creator: bool, scopes: frozenset[Scope]
) -> None:
    """Return if the person may do it with the credential they came with.

    `role` is theirs in the space concerned, `is_creator` says whether they created the data set concerned.

    Raises: Forbidden `role` when who they are does not allow it, `scope` when only the credential is too narrow.
    """
    rule = RULES[verb]
    if not rule.admits(role, staff_role, is_creator=is_creator):
        refused, way_out = _refusal(verb, role, staff_role)
        raise Forbidden(refused, code="role", way_out=way_out)
    if rule.scope not in scopes:
        carried = ", ".join(sorted(scopes)) or say("none")
        raise Forbidden(
            say(
                "This token may not {deed}: that needs the scope “{scope}”, and it carries {carried}.",
                deed=DEEDS[verb],
                scope=rule.scope.value,
                carried=carried,
            ),
            code="scope",
            way_out=say("Create a token with the scope “{scope}” and use that one.", scope=rule.scope.value),
        )


def creates_originals(role: Role | None) -> bool:
    """Whether this role may create originals; whoever else may create data sets creates derivatives."""
    return role in _STEWARDS


@dataclass(frozen=True)
class Row:
    """One line of the generated reference page. `holders` maps each role's name to `yes`, `own` or an empty word."""

    verb: Verb
    deed: Sentence
    scope: Scope
    is_write: bool
    anyone: bool
    holders: Mapping[str, str]


def table() -> list[Row]:
    """Every verb with who may do it, in the order of the vocabulary."""
    return [_row(verb, RULES[verb]) for verb in Verb]


def _row(verb: Verb, rule: Rule) -> Row:
    holders = {role.value: "yes" if rule.admits(role, None, is_creator=False) else "" for role in Role}
    if rule.creator:
        holders[Role.RESEARCHER.value] = "own"
    for staff_role in StaffRole:
        may = rule.admits(None, staff_role, is_creator=False)
        holders[staff_role.value] = ("with a reason" if rule.needs_reason_from_staff else "yes") if may else ""
    return Row(verb, DEEDS[verb], rule.scope, rule.is_write, rule.anyone, holders)


@cache  # a page asks for dozens at a time
def _refusal(verb: Verb, role: Role | None, staff_role: StaffRole | None) -> tuple[Sentence, Sentence]:
    rule = RULES[verb]
    refused = say("You may not {deed}: {held}.", deed=DEEDS[verb], held=_held(rule, role, staff_role))
    return refused, say("{who} can do it.", who=_who(rule))


def _held(rule: Rule, role: Role | None, staff_role: StaffRole | None) -> Sentence:
    held = [_ROLE_WORDS[role]] if role and rule.roles else []
    if staff_role:
        held.append(_STAFF_WORDS[staff_role])
    if held:
        return say("you are {who}", who=both(held))
    return say("you have no role that allows it") if rule.roles else say("you are not on the staff of the platform")


def _who(rule: Rule) -> Sentence:
    able = [_ROLE_WORDS[role] for role in Role if role in rule.roles]
    able += [say("the researcher who created the data set")] if rule.creator else []
    able += [_STAFF_WORDS[staff_role] for staff_role in StaffRole if staff_role in rule.staff]
    return opening(either(able))


_ROLE_WORDS: Mapping[Role, Sentence] = {
    Role.OWNER: say("an owner of the space"),
    Role.STEWARD: say("a steward of the space"),
    Role.RESEARCHER: say("a researcher of the space"),
    Role.AUDITOR: say("an auditor of the space"),
}
_STAFF_WORDS: Mapping[StaffRole, Sentence] = {
    StaffRole.ADMINISTRATOR: say("an administrator of the platform"),
    StaffRole.SUPPORT: say("a member of the platform's support"),
}
