"""Access keys over HTTP."""

from uuid import UUID

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from strongroom.actions import keys
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.dataset_shapes import Key, KeyList
from strongroom.api.operations import named
from strongroom.api.shapes import Shown, Written
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Verb

router = Router()
ALL = "/datasets/{dataset_id}/keys"


class Reset(Written):
    """Why; support staff must say."""

    reason: str = ""


class Renewal(Written):
    """For how long from now; at most, and by default, what the settings say."""

    days: int | None = Field(None, examples=[14])


class IssuedKey(Shown):
    """A proved key. The secret is shown once; it is null where the answer is repeated."""

    key: Key
    secret: str | None
    repository: str
    endpoint: str
    region: str
    note: str | None = None


@router.post(ALL, response={201: IssuedKey}, openapi_extra=IDEMPOTENT, **named(Verb.KEY_ISSUE))
def issue(request: Request, dataset_id: UUID) -> HttpResponse:
    """The secret is shown once."""
    return once(request, 201, lambda: IssuedKey.model_validate(keys.issue(request.auth, dataset_id)), secrets=_SECRETS)


@router.get(ALL, response=KeyList, **named(Verb.KEY_LIST))
def list_(request: Request, dataset_id: UUID) -> KeyList:
    """Every one there ever was, newest first; never a secret. Always one page."""
    return KeyList.model_validate({"items": keys.list_(request.auth, dataset_id)})


@router.post(f"{ALL}/reset", response={201: IssuedKey}, openapi_extra=IDEMPOTENT, **named(Verb.KEY_RESET))
def reset(request: Request, dataset_id: UUID, body: Reset) -> HttpResponse:
    """A new key in place of the last one: once by those who keep the data set, then by support with a reason."""
    return once(request, 201, lambda: _reset(request, dataset_id, body.reason), secrets=_SECRETS)


@router.post(f"{ALL}/renew", response=Key, **named(Verb.KEY_RENEW))
def renew(request: Request, dataset_id: UUID, body: Renewal) -> Key:
    """The same key for longer."""
    return Key.model_validate(keys.renew(request.auth, dataset_id, days=body.days))


@router.delete(f"{ALL}/current", response=Key, **named(Verb.KEY_REVOKE))
def revoke(request: Request, dataset_id: UUID) -> Key:
    """From the answer on the key does not work."""
    return Key.model_validate(keys.revoke(request.auth, dataset_id))


_SECRETS = ("secret",)


def _reset(request: Request, dataset_id: UUID, reason: str) -> IssuedKey:
    return IssuedKey.model_validate(keys.reset(request.auth, dataset_id, reason=reason))
