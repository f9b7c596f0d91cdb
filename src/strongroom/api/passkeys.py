"""One's passkeys over HTTP. They are added in a browser, by the pages of the console."""

from datetime import datetime
from uuid import UUID

from ninja import Query, Router

from strongroom.actions import passkeys
from strongroom.api.operations import named
from strongroom.api.shapes import Listing, Paging, Shown
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Verb

router = Router()


class Passkey(Shown):
    """A credential of a phone, a computer or a security key; `name` is what its owner called it."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


class PasskeyList(Listing[Passkey]):
    """A page of them."""


@router.get("/passkeys", response=PasskeyList, **named(Verb.PASSKEY_LIST))
def list_(request: Request, paging: Query[Paging]) -> PasskeyList:
    """One's own, newest first."""
    page = passkeys.list_(request.auth, cursor=paging.cursor, limit=paging.limit)
    return PasskeyList.model_validate({"items": page.rows, "next_cursor": page.next_cursor})


@router.delete("/passkeys/{passkey_id}", response=Passkey, **named(Verb.PASSKEY_REMOVE))
def remove(request: Request, passkey_id: UUID, is_last: bool = False) -> Passkey:
    """Needs a proof of the second factor. Somebody's last factor goes only with `is_last`."""
    return Passkey.model_validate(passkeys.remove(request.auth, passkey_id, is_last=is_last))
