"""What the compiler promises by example: who is named in which state, and how many servers fit."""

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from uuid import UUID

import pytest
from tests.core.policy_matrix import OPERATIONS, SEAWEED, aws_dialect, session, user

from strongroom.core.errors import Conflict, Invalid
from strongroom.core.names import repository_name, server_session_name, transfer_session_name, uploader_principal
from strongroom.core.policy import LIMIT_BYTES, Access, Dialect, access_of, compile_policy, probe_prefix
from strongroom.core.policy_evaluation import is_allowed
from strongroom.core.settings import Settings
from strongroom.core.vocabulary import Kind, State

NOBODY = ((), (), (), ())


@pytest.mark.parametrize(
    ("kind", "state", "named", "is_frozen"),
    [
        (Kind.ORIGINAL, State.PENDING, (("u1", "u2"), (), (), ("t1", "t2")), False),
        (Kind.ORIGINAL, State.FINALIZING, NOBODY, True),
        (Kind.ORIGINAL, State.FINALIZED, ((), ("s1", "s2"), (), ()), True),
        (Kind.ORIGINAL, State.DELETING, NOBODY, True),
        (Kind.ORIGINAL, State.DELETED, NOBODY, True),
        (Kind.DERIVATIVE, State.PENDING, (("u1", "u2"), (), (), ("t1", "t2")), False),
        (Kind.DERIVATIVE, State.FINALIZING, NOBODY, True),
        (Kind.DERIVATIVE, State.FINALIZED, ((), (), ("s1", "s2"), ()), False),
        (Kind.DERIVATIVE, State.DELETING, NOBODY, True),
        (Kind.DERIVATIVE, State.DELETED, NOBODY, True),
    ],
)
def test_kind_and_state_decide_who_is_named(
    kind: Kind, state: State, named: tuple[tuple[str, ...], ...], is_frozen: bool
) -> None:
    found = access_of(
        repository="dataset-ss-1",
        generation=7,
        kind=kind,
        state=state,
        uploaders=["u2", "u1"],
        servers=["s2", "s1", "s1"],
        transfers=["t2", "t1", "t2"],
    )
    assert (found.uploaders, found.readers, found.writers, found.transfers) == named
    assert found.is_frozen is is_frozen


def _servers(count: int) -> list[str]:
    return [server_session_name(UUID(int=number)) for number in range(count)]


def _compile(kind: Kind, count: int, dialect: Dialect) -> str:
    repository = repository_name("x" * 18, UUID(int=0))  # the longest name a repository can have
    access = access_of(
        repository=repository,
        generation=10**12,
        kind=kind,
        state=State.FINALIZED,
        uploaders=(),
        servers=_servers(count),
    )
    return compile_policy(access, dialect)


@pytest.mark.parametrize(
    ("dialect", "kind", "most"),
    [
        (SEAWEED, Kind.ORIGINAL, 213),
        (SEAWEED, Kind.DERIVATIVE, 202),
        (aws_dialect({}), Kind.ORIGINAL, 471),
        (aws_dialect({}), Kind.DERIVATIVE, 464),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_document_holds_this_many_servers_and_refuses_one_more(dialect: Dialect, kind: Kind, most: int) -> None:
    assert len(_compile(kind, most, dialect).encode()) <= LIMIT_BYTES
    with pytest.raises(Conflict) as refusal:
        _compile(kind, most + 1, dialect)
    assert refusal.value.code == "policy-too-large"
    assert f"{most + 1} servers" in str(refusal.value)
    assert "20,480" in str(refusal.value)
    assert "Revoke" in refusal.value.way_out


@pytest.mark.parametrize("dialect", [SEAWEED, aws_dialect({})], ids=lambda value: value.name)
def test_as_many_transfers_as_the_setting_allows_always_fit(dialect: Dialect) -> None:
    most = 50
    with pytest.raises(Invalid, match="from 1 to 50"):
        Settings.from_environ({"STRONGROOM_TRANSFER_LIMIT": str(most + 1)})
    keys = [uploader_principal(UUID(int=number)) for number in range(2)]  # one that ends, one that begins
    access = access_of(
        repository=repository_name("x" * 18, UUID(int=0)),
        generation=10**12,
        kind=Kind.ORIGINAL,
        state=State.PENDING,
        uploaders=keys,
        servers=(),
        transfers=[transfer_session_name(UUID(int=number)) for number in range(most)],
    )
    of_keys = replace(dialect, uploader_ids=dict.fromkeys(keys, "A" * 21))
    assert len(compile_policy(access, of_keys).encode()) <= LIMIT_BYTES


def test_the_limit_is_in_the_dialect_for_engines_to_ask() -> None:
    assert Dialect.LIMIT_BYTES == SEAWEED.LIMIT_BYTES == 20_480


def test_nothing_is_allowed_to_an_empty_list_of_principals() -> None:
    for kind in Kind:
        for state in State:
            access = access_of(
                repository="dataset-ss-1", generation=1, kind=kind, state=state, uploaders=(), servers=()
            )
            statements = json.loads(compile_policy(access, SEAWEED))["Statement"]
            allows = [made["Sid"] for made in statements if made["Effect"] == "Allow"]
            assert allows == ["Probe", "Links"]
            assert "[]" not in compile_policy(access, SEAWEED)


def test_each_generation_makes_another_document_with_its_own_prefix() -> None:
    made = [
        compile_policy(Access("dataset-ss-1", generation, (), (), (), is_frozen=True), SEAWEED) for generation in (1, 2)
    ]
    assert made[0] != made[1]
    assert [f'"s3:prefix":"{probe_prefix(generation)}"' in made[generation - 1] for generation in (1, 2)] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    "access",
    [
        Access("dataset-ss-1", 1, ("up-1",), (), (), is_frozen=True),
        Access("dataset-ss-1", 1, (), (), ("srv-1",), is_frozen=True),
        Access("dataset-ss-1", 1, (), (), (), is_frozen=True, transfers=("tr-1",)),
        Access("dataset-ss-*", 1, (), (), (), is_frozen=True),
        Access("dataset/ss", 1, (), (), (), is_frozen=True),
    ],
)
def test_access_that_contradicts_itself_is_a_bug(access: Access) -> None:
    with pytest.raises(ValueError, match=r"repository|frozen"):
        compile_policy(access, SEAWEED)


def test_an_unknown_dialect_is_a_bug() -> None:
    access = Access("dataset-ss-1", 1, (), (), (), is_frozen=True)
    with pytest.raises(ValueError, match="no policy dialect"):
        compile_policy(access, Dialect("minio", "cp", "0", "servers"))


def test_the_aws_dialect_needs_the_ids_that_nobody_can_choose() -> None:
    with pytest.raises(ValueError, match="servers' role"):
        compile_policy(
            Access("dataset-ss-1", 1, (), (), (), is_frozen=True), Dialect("aws", "AROACP:*", "1", "servers")
        )
    with pytest.raises(ValueError, match="up-1"):
        compile_policy(Access("dataset-ss-1", 1, ("up-1",), (), (), is_frozen=False), aws_dialect({}))


def test_the_guard_names_every_action_on_objects_and_listings_by_itself() -> None:
    found = Access("dataset-ss-1", 1, (), (), (), is_frozen=True)
    guard = next(
        made for made in json.loads(compile_policy(found, SEAWEED))["Statement"] if made["Sid"] == "OnlyListed"
    )
    touching = {
        action
        for checks in OPERATIONS.values()
        for action, key, _ in checks
        if key or action.startswith("s3:ListBucket") or action == "s3:GetBucketLocation"
    }
    assert {action for action in touching if not any(fnmatchcase(action, glob) for glob in guard["Action"])} == set()
    keeping = ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:DeleteBucket"]
    assert [action for action in keeping if any(fnmatchcase(action, glob) for glob in guard["Action"])] == []


@pytest.mark.parametrize("spelling", ["//_attachments/x", "_attachments\\x", "\\_attachments\\x", "/_attachments\\x"])
@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:GetObject"])
@pytest.mark.parametrize(("kind", "state"), [(Kind.ORIGINAL, State.PENDING), (Kind.DERIVATIVE, State.FINALIZED)])
def test_no_other_spelling_reaches_an_attachment(kind: Kind, state: State, action: str, spelling: str) -> None:
    access = access_of(
        repository="dataset-ss-1",
        generation=1,
        kind=kind,
        state=state,
        uploaders=["up-1"],
        servers=["srv-1"],
        transfers=["tr-1"],
    )
    document = compile_policy(access, SEAWEED)
    callers = [user("up-1", SEAWEED), session("srv-1", SEAWEED), session("tr-1", SEAWEED)]
    assert any(is_allowed(document, caller, action, "arn:aws:s3:::dataset-ss-1/plain") for caller in callers)
    # The engine asks for the key without one slash before it.
    resource = f"arn:aws:s3:::dataset-ss-1/{spelling.removeprefix('/')}"
    assert not any(is_allowed(document, caller, action, resource) for caller in callers)


@pytest.mark.parametrize("key", [".uploads", ".uploads/1/0001.part", "a/.uploads/x", "a.versions/v_1", "b/.versions/x"])
@pytest.mark.parametrize(("kind", "state"), [(Kind.ORIGINAL, State.PENDING), (Kind.DERIVATIVE, State.FINALIZED)])
def test_nobody_writes_where_the_engine_lists_nothing(kind: Kind, state: State, key: str) -> None:
    access = access_of(
        repository="dataset-ss-1",
        generation=1,
        kind=kind,
        state=state,
        uploaders=["up-1"],
        servers=["srv-1"],
        transfers=["tr-1"],
    )
    document = compile_policy(access, SEAWEED)
    callers = [user("up-1", SEAWEED), session("srv-1", SEAWEED), session("tr-1", SEAWEED)]
    bucket = "arn:aws:s3:::dataset-ss-1"
    assert any(is_allowed(document, caller, "s3:PutObject", f"{bucket}/versions/uploads") for caller in callers)
    assert not any(is_allowed(document, caller, "s3:PutObject", f"{bucket}/{key}") for caller in callers)
