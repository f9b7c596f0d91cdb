"""What every engine promises; the same tests for each."""

import hashlib
import io
import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.engines.conftest import new_repository

from strongroom.core.errors import Conflict, NotFound, Unavailable
from strongroom.core.policy import access_of, compile_policy
from strongroom.core.vocabulary import Kind, State
from strongroom.engines import Engine
from strongroom.engines.counting import Counting


def document(engine: Engine, repository: str, generation: int, *uploaders: str) -> str:
    """The policy of a pending original."""
    access = access_of(
        repository=repository,
        generation=generation,
        kind=Kind.ORIGINAL,
        state=State.PENDING,
        uploaders=uploaders,
        servers=(),
    )
    return compile_policy(access, engine.dialect)


def put(engine: Engine, repository: str, key: str, content: bytes = b"content") -> None:
    engine.put_object(repository, key, io.BytesIO(content))


def keys(engine: Engine, repository: str) -> list[str]:
    return [each.key for each in engine.list_objects(repository)]


def new_principal() -> str:
    return f"up-{secrets.token_hex(8)}"


def test_a_repository_comes_and_goes_and_both_may_be_repeated(engine: Engine) -> None:
    repository = new_repository()
    assert not engine.repository_exists(repository)
    for _ in range(2):
        engine.create_repository(repository, tags={"space": "Über uns", "dataset": "1"})
    put(engine, repository, "a/b")
    assert engine.repository_exists(repository)
    engine.create_repository(repository, tags={"space": "x"})
    assert keys(engine, repository) == ["a/b"]
    for _ in range(2):
        engine.delete_repository(repository)
    assert not engine.repository_exists(repository)


def test_what_was_deleted_is_not_in_a_new_repository_of_the_same_name(engine: Engine, repository: str) -> None:
    put(engine, repository, "old")
    engine.apply_policy(repository, document(engine, repository, 1))
    engine.delete_repository(repository)
    engine.create_repository(repository, tags={})
    assert keys(engine, repository) == []
    assert engine.read_policy(repository) is None


def test_a_policy_is_replaced_as_a_whole_and_read_back(engine: Engine, repository: str) -> None:
    assert engine.read_policy(repository) is None
    for generation in (1, 2):
        wanted = document(engine, repository, generation)
        engine.apply_policy(repository, wanted)
        assert engine.read_policy(repository) == wanted


def test_only_the_generation_in_force_is_proved(
    engine: Engine, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for generation in (7, 8):
        engine.apply_policy(repository, document(engine, repository, generation))
        engine.prove_policy(repository, generation)
    monkeypatch.setattr("strongroom.engines.seaweedfs.engine.PATIENCE_SECONDS", 0.5)
    for wrong in (7, 9):
        with pytest.raises(Unavailable, match=f"generation {wrong}"):
            engine.prove_policy(repository, wrong)


def test_an_access_key_is_proved_only_where_the_policy_names_it(
    engine: Engine, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, other = new_principal(), new_principal()
    engine.apply_policy(repository, document(engine, repository, 1, named))
    engine.prove_access_key(engine.create_access_key(named), repository)
    monkeypatch.setattr("strongroom.engines.seaweedfs.engine.PATIENCE_SECONDS", 0.5)
    with pytest.raises(Unavailable):
        engine.prove_access_key(engine.create_access_key(other), repository)
    engine.delete_principal(named)
    engine.delete_principal(other)


def test_a_second_key_replaces_the_first(engine: Engine, repository: str, monkeypatch: pytest.MonkeyPatch) -> None:
    principal = new_principal()
    assert engine.access_key_ids(principal) == []
    first, second = engine.create_access_key(principal), engine.create_access_key(principal)
    assert first.secret != second.secret
    assert engine.access_key_ids(principal) == [second.access_key_id]
    engine.apply_policy(repository, document(engine, repository, 1, principal))
    engine.prove_access_key(second, repository)
    with monkeypatch.context() as impatient, pytest.raises(Unavailable):
        impatient.setattr("strongroom.engines.seaweedfs.engine.PATIENCE_SECONDS", 1.0)
        engine.prove_access_key(first, repository)
    for _ in range(2):
        engine.delete_principal(principal)
    assert engine.access_key_ids(principal) == []
    monkeypatch.setattr("strongroom.engines.seaweedfs.engine.PATIENCE_SECONDS", 1.0)
    with pytest.raises(Unavailable):
        engine.prove_access_key(second, repository)


def test_a_key_does_not_show_its_secret(engine: Engine) -> None:
    principal = new_principal()
    key = engine.create_access_key(principal)
    engine.delete_principal(principal)
    assert key.secret not in repr(key)
    assert key.secret not in str(key)


def test_a_frozen_repository_takes_no_writes_until_it_thaws(engine: Engine, repository: str) -> None:
    put(engine, repository, "before")
    for _ in range(2):
        engine.freeze(repository)
    with pytest.raises(Unavailable):
        put(engine, repository, "during")
    with pytest.raises(Unavailable):
        put(engine, repository, "before", b"overwritten")
    assert b"".join(engine.read_object(repository, "before")) == b"content"
    for _ in range(2):
        engine.thaw(repository)
    put(engine, repository, "after")
    assert keys(engine, repository) == ["after", "before"]


def test_freezing_one_repository_leaves_the_others_alone(engine: Engine, repository: str) -> None:
    other = new_repository()
    engine.create_repository(other, tags={})
    engine.freeze(repository)
    put(engine, other, "key")
    engine.thaw(repository)
    assert keys(engine, other) == ["key"]
    engine.delete_repository(other)


def test_an_engine_at_rest_is_drained_and_has_no_unfinished_uploads(engine: Engine, repository: str) -> None:
    assert engine.is_drained(engine.mark_writes())
    assert engine.abort_uploads(repository) == 0


@pytest.mark.parametrize("size", [0, 1, 3_000_000, 40_000_000])
def test_a_stream_is_written_and_read_back_whole(engine: Engine, repository: str, size: int) -> None:
    content = secrets.token_bytes(size)
    done = engine.put_object(repository, "_attachments/1.pdf", io.BytesIO(content), content_type="application/pdf")
    assert (done.size_bytes, done.sha256) == (size, hashlib.sha256(content).hexdigest())
    digest = hashlib.sha256()
    for chunk in engine.read_object(repository, "_attachments/1.pdf"):
        digest.update(chunk)
    assert digest.hexdigest() == done.sha256
    [listed] = engine.list_objects(repository)
    assert (listed.key, listed.size_bytes, listed.etag) == ("_attachments/1.pdf", size, done.etag)
    assert abs(listed.modified_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_etag_of_a_small_object_is_the_md5_of_its_content(engine: Engine, repository: str) -> None:
    content = secrets.token_bytes(9_000_000)  # larger than one chunk of the engine, smaller than one part of ours
    done = engine.put_object(repository, "key", io.BytesIO(content))
    assert done.etag == hashlib.md5(content, usedforsecurity=False).hexdigest()


class Dribble(io.RawIOBase):
    """A stream that gives a little at a time, and breaks when it is told to."""

    def __init__(self, size: int, *, breaks: bool = False) -> None:
        self.left, self.breaks = size, breaks

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self.left and self.breaks:
            raise ConnectionResetError("the client went away")
        given = min(self.left, 700_001, size if size >= 0 else self.left)
        self.left -= given
        return b"x" * given


def test_a_stream_that_gives_little_at_a_time_is_written_whole(engine: Engine, repository: str) -> None:
    done = engine.put_object(repository, "key", Dribble(20_000_000))  # type: ignore[arg-type]
    assert done.size_bytes == 20_000_000
    assert done.sha256 == hashlib.sha256(b"x" * 20_000_000).hexdigest()


@pytest.mark.parametrize("size", [1_000_000, 20_000_000])
def test_a_stream_that_breaks_leaves_nothing_behind(engine: Engine, repository: str, size: int) -> None:
    with pytest.raises(ConnectionResetError):
        engine.put_object(repository, "key", Dribble(size, breaks=True))  # type: ignore[arg-type]
    assert keys(engine, repository) == []
    assert engine.abort_uploads(repository) == 0


def test_an_object_that_is_not_there_is_not_found(engine: Engine, repository: str) -> None:
    with pytest.raises(NotFound, match="nothing/here"):
        engine.read_object(repository, "nothing/here")


def test_deleting_an_object_may_be_repeated(engine: Engine, repository: str) -> None:
    put(engine, repository, "a/b")
    for _ in range(2):
        engine.delete_object(repository, "a/b")
    assert keys(engine, repository) == []


def test_moving_an_object_may_be_repeated(engine: Engine, repository: str) -> None:
    put(engine, repository, "from me", b"moved")
    target = new_repository()
    engine.create_repository(target, tags={})
    for _ in range(2):
        engine.move_object(repository, "from me", target, "quarantine/to me")
    assert keys(engine, repository) == []
    assert b"".join(engine.read_object(target, "quarantine/to me")) == b"moved"
    engine.delete_repository(target)


def test_moving_what_is_nowhere_is_not_found(engine: Engine, repository: str) -> None:
    with pytest.raises(NotFound):
        engine.move_object(repository, "nothing", repository, "nowhere")


def test_a_listing_is_in_byte_order_and_goes_on_after_a_key(engine: Engine, repository: str) -> None:
    wanted = ["a-b", "a.b", "a/b", "a/b-c", "a/b/c", "aa", "é", "😀"]
    for key in reversed(wanted):
        put(engine, repository, key)
    assert keys(engine, repository) == wanted
    for position, key in enumerate(wanted):
        assert [each.key for each in engine.list_objects(repository, after=key)] == wanted[position + 1 :]
    assert [each.key for each in engine.list_objects(repository, prefix="a/", after="a/b")] == ["a/b-c", "a/b/c"]


def test_locked_objects_cannot_be_deleted_by_anybody_before_their_time(engine: Engine, repository: str) -> None:
    for number in range(3):
        put(engine, repository, f"key {number}")
    assert engine.drop_old_versions(repository) == 0
    until = datetime.now(UTC) + timedelta(seconds=8)
    assert list(engine.lock_objects(repository, until))[-1] == 3
    assert list(engine.lock_objects(repository, until - timedelta(seconds=2)))[-1] == 3  # a repetition does no harm
    with pytest.raises(Conflict, match=f"{until:%Y-%m-%d}"):
        engine.delete_repository(repository)
    assert len(keys(engine, repository)) == 3
    _wait_until(until)


def test_nothing_is_locked_while_the_repository_is_frozen(engine: Engine, repository: str) -> None:
    """A retention is a write: a lock that were taken as set and is not would promise what nobody holds."""
    put(engine, repository, "key")
    engine.freeze(repository)
    with pytest.raises(Unavailable):
        list(engine.lock_objects(repository, datetime.now(UTC) + timedelta(minutes=1)))
    engine.thaw(repository)
    until = datetime.now(UTC) + timedelta(seconds=5)
    assert list(engine.lock_objects(repository, until))[-1] == 1
    with pytest.raises(Conflict):
        engine.delete_repository(repository)
    _wait_until(until)


def _wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()) + 1)


def test_a_session_is_named_and_lasts_as_long_as_asked(engine: Engine) -> None:
    session = engine.create_session("srv-abc", lifetime=timedelta(hours=1))
    assert session.name == "srv-abc"
    assert abs(session.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)
    assert session.secret not in repr(session)
    assert session.token not in repr(session)


def test_a_healthy_engine_says_so(engine: Engine) -> None:
    parts = engine.health()
    assert parts
    assert all(part.is_healthy for part in parts), parts


def test_a_watched_engine_counts_its_calls_and_fails_where_it_is_told(engine: Engine, repository: str) -> None:
    heard: list[str] = []
    watched = Counting(engine, on_call=heard.append)
    as_engine = watched.as_engine()
    watched.fail_next("freeze", Unavailable("told to"))
    with pytest.raises(Unavailable, match="told to"):
        as_engine.freeze(repository)
    put(as_engine, repository, "key")  # was not frozen
    assert as_engine.dialect == engine.dialect
    assert heard == ["freeze", "put_object"]
    assert watched.calls == {"freeze": 1, "put_object": 1}
