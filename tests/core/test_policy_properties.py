"""In no state may a forbidden principal act: the whole matrix of callers and operations, over generated data sets."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core import policy_matrix as matrix
from tests.core.policy_matrix import GENERATION, OPERATIONS, Names, allowed, session, user

from strongroom.core.policy import LIMIT_BYTES, PROBE_SESSION, READER_SESSION, Dialect, compile_policy
from strongroom.core.policy_evaluation import Caller, parse
from strongroom.core.vocabulary import Kind, State

_OURS = {PROBE_SESSION, READER_SESSION, "servers", "admin-adminadm"}
_name = st.from_regex(r"[A-Za-z0-9_+=,.@-]{2,24}", fullmatch=True).filter(lambda name: name.lower() not in _OURS)


@st.composite
def names(draw: st.DrawFn) -> Names:
    found = draw(st.lists(_name, min_size=6, max_size=10, unique_by=str.lower))
    # An upper-cased granted name is tried as a stranger, so it must be another name.
    granted = tuple(name.lower() + "x" for name in found[3:])
    split = draw(st.integers(1, len(granted) - 1))
    return Names(found[0], found[1], granted[:split], found[2], granted[split:])


dialects = st.sampled_from(["seaweedfs", "aws"])


def _dialect(name: str, found: Names) -> Dialect:
    return matrix.SEAWEED if name == "seaweedfs" else matrix.aws_dialect({found.uploader: "AIDAUPLOADER"})


@settings(max_examples=60, deadline=None)
@given(names(), dialects, st.sampled_from(Kind), st.sampled_from(State))
def test_everybody_may_do_exactly_what_the_state_gives_them(
    found: Names, dialect_name: str, kind: Kind, state: State
) -> None:
    dialect = _dialect(dialect_name, found)
    document = compile_policy(matrix.access(found, kind, state), dialect)

    assert allowed(document, user(found.uploader, dialect)) == matrix.expected_of_uploader_or_transfer(state)
    for transfer in found.transfers:
        assert allowed(document, session(transfer, dialect)) == matrix.expected_of_uploader_or_transfer(state)
    for server in found.servers:
        assert allowed(document, session(server, dialect)) == matrix.expected_of_server(kind, state)
    assert allowed(document, session(PROBE_SESSION, dialect)) == frozenset(matrix.PROBING)
    assert allowed(document, session(READER_SESSION, dialect)) == frozenset(matrix.READING_ATTACHMENTS)
    assert allowed(document, matrix.control_plane(dialect)) == frozenset(OPERATIONS)


@settings(max_examples=60, deadline=None)
@given(names(), dialects, st.sampled_from(Kind), st.sampled_from(State))
def test_nobody_else_may_do_anything_however_they_are_named(
    found: Names, dialect_name: str, kind: Kind, state: State
) -> None:
    dialect = _dialect(dialect_name, found)
    document = compile_policy(matrix.access(found, kind, state), dialect)

    gained = {who: allowed(document, caller) for who, caller in matrix.nobodies(found, dialect).items()}
    assert {who: deeds for who, deeds in gained.items() if deeds} == {}


@settings(max_examples=40, deadline=None)
@given(names(), dialects, st.sampled_from(Kind), st.sampled_from(State))
def test_an_administrator_of_the_engine_by_another_name_touches_no_object_and_no_listing(
    found: Names, dialect_name: str, kind: Kind, state: State
) -> None:
    dialect = _dialect(dialect_name, found)
    document = compile_policy(matrix.access(found, kind, state), dialect)
    boss = Caller("boss", f"arn:aws:iam::{dialect.account}:user/boss", "control-plane", "AIDABOSS")

    touching = {name for name in allowed(document, boss) if not name.startswith("bucket: ")}
    assert touching == set()


@settings(max_examples=40, deadline=None)
@given(names(), dialects, st.sampled_from(Kind), st.sampled_from(State))
def test_a_document_says_only_what_the_evaluator_knows_and_never_locks_the_policy_itself(
    found: Names, dialect_name: str, kind: Kind, state: State
) -> None:
    dialect = _dialect(dialect_name, found)
    document = compile_policy(matrix.access(found, kind, state), dialect)

    assert parse(document)  # raises at any element, operator or key that the engines were not tried with
    assert len(document.encode()) <= LIMIT_BYTES
    policy_calls = {"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:DeleteBucket"}
    keeper = Caller(
        "admin-renamed", f"arn:aws:iam::{dialect.account}:user/admin-renamed", "control-plane", dialect.account
    )
    kept = {name.replace("bucket: ", "s3:") for name in allowed(document, keeper)}
    assert policy_calls <= kept  # SeaweedFS: the administrator under another name; AWS: the account's root


@given(names(), dialects, st.sampled_from(Kind), st.sampled_from(State), st.randoms())
def test_the_order_and_repetition_of_names_do_not_change_a_byte(
    found: Names, dialect_name: str, kind: Kind, state: State, random: "object"
) -> None:
    dialect = _dialect(dialect_name, found)
    servers, transfers = list(found.servers) * 2, list(found.transfers) * 2
    for shuffled in (servers, transfers):
        random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = Names(found.uploader, found.other_uploader, tuple(servers), found.other_server, tuple(transfers))

    one = compile_policy(matrix.access(found, kind, state), dialect)
    assert compile_policy(matrix.access(again, kind, state), dialect) == one
    assert json.dumps(json.loads(one), separators=(",", ":")) == one  # minified
    assert f'"gen-{GENERATION}"' in one


@given(st.text(min_size=1, max_size=70), dialects)
def test_a_name_is_either_refused_or_means_one_principal(name: str, dialect_name: str) -> None:
    found = Names("up-1", "up-2", (name,), "srv-x", (name,))
    dialect = _dialect(dialect_name, found)
    for state in (State.FINALIZED, State.PENDING):
        try:
            document = compile_policy(matrix.access(found, Kind.ORIGINAL, state), dialect)
        except ValueError:
            return
        assert allowed(document, session(name, dialect))
        assert not allowed(document, session(name + "x", dialect))
        assert not allowed(document, session("x" + name, dialect))


@pytest.mark.parametrize("name", ["*", "srv-*", "srv-?", "a/b", "${aws:username}", "", "a", "x" * 65, "srvé", "srv\n"])
def test_names_that_could_mean_several_principals_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must not name"):
        compile_policy(
            matrix.access(Names("up-1", "up-2", (name,), "s"), Kind.ORIGINAL, State.FINALIZED), matrix.SEAWEED
        )
    with pytest.raises(ValueError, match="must not name"):
        compile_policy(
            matrix.access(Names("up-1", "up-2", (), "s", (name,)), Kind.ORIGINAL, State.PENDING), matrix.SEAWEED
        )


@pytest.mark.parametrize("name", [PROBE_SESSION, READER_SESSION, "admin-adminadm", "servers"])
def test_names_of_strongroom_itself_are_refused(name: str) -> None:
    for found, state in (
        (Names(name, "o", (), "s"), State.PENDING),
        (Names("u", "o", (), "s", (name,)), State.PENDING),
        (Names("u", "o", (name,), "s"), State.FINALIZED),
    ):
        with pytest.raises(ValueError, match="must not name"):
            compile_policy(matrix.access(found, Kind.DERIVATIVE, state), matrix.SEAWEED)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("dialect_name", ["seaweedfs", "aws"])
def test_not_even_an_administrator_who_bears_a_listed_name_writes_what_is_frozen_or_an_attachment(
    kind: Kind, state: State, dialect_name: str
) -> None:
    found = Names("up-1", "up-2", ("srv-1",), "srv-2", ("tr-1",))
    dialect = _dialect(dialect_name, found)
    access = matrix.access(found, kind, state)
    document = compile_policy(access, dialect)
    named = ("srv-1", "tr-1", READER_SESSION)
    passes_the_guard = [user("up-1", dialect), *(session(name, dialect) for name in named)]
    if dialect_name == "seaweedfs":  # where a session can bear the control plane's own name
        passes_the_guard.append(session("admin-adminadm", dialect, of="boss"))

    for bearer in passes_the_guard:
        administrator = Caller(bearer.username, bearer.arn, "control-plane", bearer.userid)
        written = {
            name
            for name in allowed(document, administrator)
            for action, key, _ in OPERATIONS[name]
            if action.startswith(("s3:Put", "s3:Delete", "s3:Upload", "s3:Complete", "s3:Bypass")) and key
            if access.is_frozen or key.split("/")[0] == "_attachments"
        }
        assert written == set()
