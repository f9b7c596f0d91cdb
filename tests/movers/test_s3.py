"""What a mover asks of S3, asked of the real gateway."""

import hashlib
import secrets
from collections.abc import Callable

import pytest

from strongroom.movers.errors import Altered, Refused, Unreachable
from strongroom.movers.retrying import AT_ONCE
from strongroom.movers.s3 import Credentials, Repository, etag_of_parts
from tests.movers.conftest import Bucket

PART = secrets.token_bytes(5 << 20)
SMALL = b"the last part is small"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def md5(content: bytes) -> bytes:
    return hashlib.md5(content).digest()


@pytest.mark.parametrize("content", [b"", b"content", PART], ids=["nothing", "little", "much"])
def test_what_was_written_is_read_back_with_what_was_noted_on_it(repository: Repository, content: bytes) -> None:
    etag = repository.put("a/key", content, metadata={"sha256": sha256(content)}, sha256=sha256(content))
    assert etag == md5(content).hex()
    stored = repository.head("a/key")
    assert stored is not None and (stored.size_bytes, stored.etag) == (len(content), etag)
    assert stored.metadata == {"sha256": sha256(content)}
    assert repository.get("a/key").read() == content
    assert [(each.key, each.size_bytes, each.etag) for each in repository.list()] == [("a/key", len(content), etag)]


@pytest.mark.parametrize("content", [b"content", PART], ids=["little", "much"])
@pytest.mark.parametrize("what", [{"sha256": "0" * 64}, {"md5": b"0" * 16}], ids=["SHA-256", "MD5"])
def test_what_arrives_with_another_digest_is_not_kept(repository: Repository, content: bytes, what: object) -> None:
    upload = repository.create_upload("parts")
    with pytest.raises(Altered, match="not what was sent"):
        repository.put("key", content, **what)  # type: ignore[arg-type]
    with pytest.raises(Altered, match="not what was sent"):
        repository.put_part("parts", upload, 1, content, **what)  # type: ignore[arg-type]
    assert repository.head("key") is None and repository.list_parts("parts", upload) == []
    repository.abort_upload("parts", upload)


def test_parts_become_one_object_and_completing_may_be_repeated(repository: Repository) -> None:
    upload = repository.create_upload("ä key", {"note": "x"})
    assert [(each.key, each.upload_id) for each in repository.list_uploads()] == [("ä key", upload)]
    second = repository.put_part("ä key", upload, 2, memoryview(SMALL), md5=md5(SMALL))
    first = repository.put_part("ä key", upload, 1, memoryview(PART))
    assert [(each.number, each.size_bytes, each.etag) for each in repository.list_parts("ä key", upload)] == [
        (1, len(PART), first),
        (2, len(SMALL), second),
    ]
    for _ in range(2):
        etag = repository.complete_upload("ä key", upload, [(1, first), (2, second)])
        assert etag == etag_of_parts([first, second])
    assert sha256(repository.get("ä key").read()) == sha256(PART + SMALL)
    stored = repository.head("ä key")
    assert stored is not None and stored.metadata == {"note": "x"} and repository.list_uploads() == []


def test_an_upload_that_is_gone_is_not_completed_but_may_be_given_up_again(repository: Repository) -> None:
    upload = repository.create_upload("key")
    etag = repository.put_part("key", upload, 1, b"x")
    for _ in range(2):
        repository.abort_upload("key", upload)
    with pytest.raises(Refused) as refused:
        repository.complete_upload("key", upload, [(1, etag)])
    assert refused.value.code == "NoSuchUpload"


def test_a_range_is_read_of_the_object_that_was_meant(repository: Repository) -> None:
    etag = repository.put("key", b"0123456789")
    assert repository.get("key", start=3, end=6, etag=etag).read() == b"345"
    assert repository.get("key", start=7).read() == b"789"
    repository.put("key", b"another")
    with pytest.raises(Refused) as refused:
        repository.get("key", start=3, end=6, etag=etag)
    assert (refused.value.status, refused.value.code) == (412, "PreconditionFailed")


KEYS = [
    "a b",
    "pl+us",
    "per%20cent",
    "am&p;",
    "<x>",
    "tab\tx",
    "new\nline",
    "bell\x07",
    "e\u0301",
    "é",
    "😀",
    "d/e/f",
    "~",
]


def test_any_name_is_listed_as_it_was_written_and_page_by_page(repository: Repository) -> None:
    for key in KEYS:
        repository.put(key, b"")
    in_order = sorted(KEYS, key=str.encode)
    assert [each.key for each in repository.list()] == in_order
    assert [each.key for each in repository.list(after=in_order[4])] == in_order[5:]
    assert [each.key for each in repository.list("d/")] == ["d/e/f"]


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda found: found.get("none"), "NoSuchKey"),
        (lambda found: list(found.list()), "SignatureDoesNotMatch"),
        (lambda found: found.put("key", PART * 4), "SignatureDoesNotMatch"),
        (lambda found: found.head("key"), "HTTP 403"),
    ],
)
def test_a_refusal_says_what_s3_says(bucket: Bucket, ask: Callable[[Repository], object], code: str) -> None:
    key = bucket.credentials() if code == "NoSuchKey" else Credentials(bucket.key.access_key_id, "wrong")
    repository = Repository(bucket.running.settings.endpoint, "us-east-1", bucket.name, lambda: key, patience=AT_ONCE)
    with pytest.raises(Refused) as refused:
        ask(repository)
    assert refused.value.code == code and refused.value.is_access == (code != "NoSuchKey")


def test_credentials_that_are_not_taken_are_asked_for_once_more(bucket: Bucket) -> None:
    given = [Credentials(bucket.key.access_key_id, "old"), bucket.credentials()]
    repository = Repository(
        *(bucket.running.settings.endpoint, "us-east-1", bucket.name, lambda: given.pop(0)), patience=AT_ONCE
    )
    repository.put("key", b"content")
    assert given == []


def test_a_wrong_clock_is_put_right_by_what_the_gateway_says(repository: Repository) -> None:
    repository.offset_seconds = -4000
    repository.put("key", b"content")
    assert abs(repository.offset_seconds) < 300


def test_nobody_there_is_told(bucket: Bucket) -> None:
    repository = Repository("http://127.0.0.1:1", "us-east-1", bucket.name, bucket.credentials, patience=AT_ONCE)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 cannot be reached: Connection refused"):
        repository.head("key")


def test_credentials_do_not_show_their_secret() -> None:
    assert "hidden" not in repr(Credentials("AK", "hidden", "hidden"))
