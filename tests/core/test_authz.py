"""Who may do what: the whole table once more, by hand, and every combination of it tried."""

from itertools import product

import pytest

from strongroom.core.authz import RULES, check, creates_originals, table
from strongroom.core.deeds import DEEDS
from strongroom.core.errors import Forbidden
from strongroom.core.vocabulary import Role, Scope, StaffRole, Verb

# O owner, S steward, R researcher, r researcher on what they created, A auditor; M administrator, P support; * anyone
EXPECTED = """
person.create            M       manage
person.list              MP      read
person.show              MP      read
person.edit              M       manage
person.invite            MP      manage
person.disable           M       manage
person.enable            M       manage
person.remove            M       manage
session.list             *       read
session.end              *       manage
passkey.list             *       read
passkey.remove           *       manage
terms.show               *       read
terms.accept             *       manage
token.create             *       manage
token.list               *       read
token.revoke             *       manage
space.create             *       manage
space.list               *       read
space.show               OSRAMP  read
space.edit               OM      manage
member.add               OM      manage
member.list              OSAM    read
member.edit              OM      manage
member.remove            OM      manage
mapping.add              M       manage
mapping.list             MP      read
mapping.remove           M       manage
dataset.create           OSR     write
dataset.list             *       read
dataset.show             OSRAMP  read
dataset.edit             OSr     write
dataset.finalize         OSr     write
dataset.promote          OSr     write
dataset.delete           OSr     write
dataset.request_deletion OSr     write
dataset.withdraw_deletion OSr    write
dataset.confirm_deletion OSM     write
dataset.history          OSRAMP  read
dataset.contents         OSRA    read
dataset.connect          OSR     read
key.issue                OSr     write
key.list                 OSrAP   read
key.reset                OSrP    write
key.renew                OSr     write
key.revoke               OSr     write
transfer.open            OSr     write
transfer.renew           OSr     write
transfer.record          OSr     write
transfer.close           OSr     write
transfer.list            OSrAP   read
transfer.show            OSrAP   read
transfer.recorded        OSRA    read
attachment.add           OSr     write
attachment.list          OSRA    read
attachment.link          OSRA    read
attachment.remove        OSr     write
attachment.supersede     OSr     write
server.offerings         *       read
server.create            OS      write
server.enrol             OS      write
server.rejoin            OS      write
server.list              *       read
server.show              OSRAMP  read
server.edit              OS      write
server.start             OSR     write
server.stop              OSR     write
server.disable           OSM     write
server.enable            OS      write
server.delete            OS      write
server.certify           OSR     write
grant.create             OSr     write
grant.list               OSRAMP  read
grant.edit               OSr     write
grant.revoke             OSrM    write
mfa.show                 *       read
mfa.enrol                *       manage
mfa.confirm              *       manage
mfa.prove                *       read
mfa.remove               *       manage
mfa.reset                M       manage
manifest.show            OSRA    read
manifest.download        OSRA    read
receipt.show             OSRA    read
crate.show               OSRA    read
fixity.start             OSr     write
fixity.list              OSRA    read
fixity.show              OSRA    read
audit.list               OAM     read
audit.export             OAM     read
audit.verify             OAM     read
system.status            MP      read
"""
ROWS = {Verb(verb): (letters, Scope(scope)) for verb, letters, scope in map(str.split, EXPECTED.split("\n")[1:-1])}
LETTER = {Role.OWNER: "O", Role.STEWARD: "S", Role.RESEARCHER: "R", Role.AUDITOR: "A"}
STAFF_LETTER = {StaffRole.ADMINISTRATOR: "M", StaffRole.SUPPORT: "P"}
ROLES: tuple[Role | None, ...] = (None, *Role)
STAFF: tuple[StaffRole | None, ...] = (None, *StaffRole)
ALL_SCOPES = frozenset(Scope)


def expected(letters: str, role: Role | None, staff_role: StaffRole | None, is_creator: bool) -> bool:
    held = {"*", LETTER.get(role or "", ""), STAFF_LETTER.get(staff_role or "", "")}
    if role is Role.RESEARCHER and is_creator:
        held.add("r")
    return bool(held & set(letters))


def outcome(
    verb: Verb, role: Role | None, staff_role: StaffRole | None, is_creator: bool, scopes: frozenset[Scope]
) -> str:
    try:
        check(verb, role=role, staff_role=staff_role, is_creator=is_creator, scopes=scopes)
    except Forbidden as refusal:
        return refusal.code
    return "may"


def test_every_verb_has_a_row_here_in_the_rules_and_in_the_words() -> None:
    assert set(ROWS) == set(RULES) == set(DEEDS) == set(Verb)


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_is_for_exactly_these_people_with_exactly_this_scope(verb: Verb) -> None:
    letters, scope = ROWS[verb]
    for role, staff_role, is_creator in product(ROLES, STAFF, (False, True)):
        who = "may" if expected(letters, role, staff_role, is_creator) else "role"
        assert outcome(verb, role, staff_role, is_creator, ALL_SCOPES) == who
        for scopes in (frozenset(), *map(frozenset, ([held] for held in Scope)), ALL_SCOPES - {scope}):
            narrowed = who if scope in scopes or who == "role" else "scope"
            assert outcome(verb, role, staff_role, is_creator, scopes) == narrowed


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_writes_unless_its_scope_is_read(verb: Verb) -> None:
    # Whoever can only read may still prove who they are; that is noted, and so it writes.
    assert RULES[verb].is_write is (ROWS[verb][1] is not Scope.READ or verb is Verb.MFA_PROVE)


def test_an_auditor_writes_nothing_but_what_anyone_may() -> None:
    written = {
        verb for verb in Verb if RULES[verb].is_write and outcome(verb, Role.AUDITOR, None, True, ALL_SCOPES) == "may"
    }
    about_oneself = {Verb.MFA_ENROL, Verb.MFA_CONFIRM, Verb.MFA_PROVE, Verb.MFA_REMOVE}
    assert (
        written
        == {
            Verb.TOKEN_CREATE,
            Verb.TOKEN_REVOKE,
            Verb.SPACE_CREATE,
            Verb.SESSION_END,
            Verb.TERMS_ACCEPT,
            Verb.PASSKEY_REMOVE,
        }
        | about_oneself
    )


NEED_A_PROOF = """
person.create person.edit person.invite person.enable person.remove token.create member.add member.edit
mapping.add
dataset.finalize dataset.promote dataset.delete dataset.request_deletion dataset.confirm_deletion
key.issue key.reset key.renew transfer.open server.certify mfa.reset passkey.remove
"""


def test_what_shows_a_secret_raises_somebody_or_cannot_be_undone_needs_a_proof_in_a_browser() -> None:
    assert {verb.value for verb in Verb if RULES[verb].needs_proof} == set(NEED_A_PROOF.split())


NEED_A_REASON = {Verb.KEY_RESET: "P", Verb.SERVER_DISABLE: "M", Verb.GRANT_REVOKE: "M"}


def test_staff_who_step_in_must_give_a_reason() -> None:
    assert {verb for verb in Verb if RULES[verb].needs_reason_from_staff} == set(NEED_A_REASON)


def test_owners_and_stewards_create_originals_and_nobody_else() -> None:
    assert [role for role in ROLES if creates_originals(role)] == [Role.OWNER, Role.STEWARD]


@pytest.mark.parametrize(
    ("verb", "role", "staff_role", "message", "way_out"),
    [
        (
            Verb.DATASET_FINALIZE,
            Role.AUDITOR,
            None,
            "You may not finalize the data set: you are an auditor of the space.",
            "An owner of the space, a steward of the space or the researcher who created the data set can do it.",
        ),
        (
            Verb.MEMBER_ADD,
            Role.STEWARD,
            StaffRole.SUPPORT,
            "You may not add a member: you are a steward of the space and a member of the platform's support.",
            "An owner of the space or an administrator of the platform can do it.",
        ),
        (
            Verb.PERSON_CREATE,
            Role.OWNER,
            None,
            "You may not create a person: you are not on the staff of the platform.",
            "An administrator of the platform can do it.",
        ),
        (
            Verb.DATASET_CONTENTS,
            None,
            StaffRole.ADMINISTRATOR,
            "You may not list the contents of the data set: you are an administrator of the platform.",
            "An owner of the space, a steward of the space, a researcher of the space or an auditor of the space "
            "can do it.",
        ),
    ],
)
def test_a_refusal_says_what_why_and_who_can(
    verb: Verb, role: Role | None, staff_role: StaffRole | None, message: str, way_out: str
) -> None:
    with pytest.raises(Forbidden) as refusal:
        check(verb, role=role, staff_role=staff_role, is_creator=False, scopes=ALL_SCOPES)
    assert (str(refusal.value), refusal.value.way_out, refusal.value.status) == (message, way_out, 403)


def test_a_token_that_is_too_narrow_is_told_which_scope_it_lacks() -> None:
    with pytest.raises(Forbidden) as refusal:
        check(Verb.KEY_ISSUE, role=Role.OWNER, staff_role=None, is_creator=True, scopes=frozenset({Scope.READ}))
    assert str(refusal.value) == (
        "This token may not issue an access key: that needs the scope “write”, and it carries read."
    )
    assert refusal.value.way_out == "Create a token with the scope “write” and use that one."


def test_the_table_for_readers_says_the_same_as_the_rules() -> None:
    rows = {row.verb: row for row in table()}
    assert list(rows) == list(Verb)
    words = {**{role.value: letter for role, letter in LETTER.items()}, "administrator": "M", "support": "P"}
    for verb, (letters, scope) in ROWS.items():
        row = rows[verb]
        assert (row.scope, row.anyone, row.deed) == (scope, letters == "*", DEEDS[verb])
        for holder, letter in words.items():
            own = "own" if letter == "R" and "r" in letters else ""
            reason = NEED_A_REASON.get(verb) == letter
            yes = "with a reason" if reason else "yes"
            assert row.holders[holder] == (yes if letter in letters or letters == "*" else own)
