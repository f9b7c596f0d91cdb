"""The transfer of an upload in the browser, for the script of its page. Credentials are in that answer alone."""

from typing import Any
from uuid import UUID

from strongroom.actions import transfers
from strongroom.actions.transfers import OpenTransfer, Summary
from strongroom.console.answering import Told, answered, sent
from strongroom.console.pages import Request
from strongroom.core.digests import Digest
from strongroom.core.errors import Invalid, NotFound
from strongroom.core.sentences import say

LABEL = "browser"


@answered
def begin(request: Request, dataset_id: UUID) -> Told:
    """A new one, with its first credentials."""
    return _credentials(transfers.open_(request.actor, dataset_id, label=LABEL))


@answered
def renew(request: Request, dataset_id: UUID, transfer_id: UUID) -> Told:
    """Its next credentials."""
    _see(request, dataset_id, transfer_id)
    return _credentials(transfers.renew(request.actor, transfer_id))


@answered
def record(request: Request, dataset_id: UUID, transfer_id: UUID) -> Told:
    """The SHA-256 of what was sent, some at a time."""
    _see(request, dataset_id, transfer_id)
    items = sent(request).get("items")
    if not isinstance(items, list):
        raise Invalid(say("Which digests?"), fields={"items": say("a list")})
    return {"recorded": transfers.record(request.actor, transfer_id, [_digest(each) for each in items])}


@answered
def close(request: Request, dataset_id: UUID, transfer_id: UUID) -> Told:
    """Its end."""
    _see(request, dataset_id, transfer_id)
    told = sent(request)
    numbers = {name: _number(told.get(name)) for name in ("file_count", "size_bytes", "problem_count")}
    summary = Summary(manifest_sha256=str(told.get("manifest_sha256") or ""), **numbers)
    return {"id": str(transfers.close(request.actor, transfer_id, summary).id)}


def _see(request: Request, dataset_id: UUID, transfer_id: UUID) -> None:
    """Nothing of what was sent is read for somebody who may not see the transfer. Raises: NotFound, Forbidden."""
    if transfers.show(request.actor, transfer_id).dataset_id != dataset_id:
        raise NotFound(say("There is no such transfer of this data set."), way_out=say("Load the page again."))


def _credentials(opened: OpenTransfer) -> Told:
    return {
        "id": str(opened.transfer.id),
        "repository": opened.repository,
        "endpoint": opened.endpoint,
        "region": opened.region,
        "access_key_id": opened.session.access_key_id,
        "secret": opened.session.secret,
        "session_token": opened.session.token,
        "seconds_left": opened.seconds_left,
    }


def _digest(told: Any) -> Digest:
    if not isinstance(told, dict):
        raise Invalid(say("A digest is an object."), fields={"items": say("objects")})
    texts = {name: told.get(name) for name in ("key", "etag", "sha256")}
    size_bytes = _number(told.get("size_bytes"))
    if size_bytes is None or not all(isinstance(each, str) for each in texts.values()):
        raise Invalid(
            say("A digest has key, size_bytes, etag and sha256."),
            fields={"items": say("key, size_bytes, etag, sha256")},
        )
    return Digest(size_bytes=size_bytes, **texts)  # type: ignore[arg-type]  # they are texts


def _number(told: object) -> int | None:
    if told is not None and (not isinstance(told, int) or isinstance(told, bool)):
        raise Invalid(say("A count is a whole number."), fields={"size_bytes": say("a whole number")})
    return told
