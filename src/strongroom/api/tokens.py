"""Signing in, and personal access tokens, over HTTP."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from strongroom.actions import signin, tokens
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.operations import named
from strongroom.api.people import Person
from strongroom.api.shapes import Listing, Paging, Shown, Written
from strongroom.api.signed_in import Request, address_of, request_id_of
from strongroom.core.vocabulary import Scope, Verb

router = Router()


class SignIn(Written):
    """A one-time code, and what the token is to be called."""

    code: str = Field(examples=["7X4M-01AB-Q2ZT-9KRE"])
    token_name: str = Field("", examples=["laptop"])


class SignedIn(Shown):
    """The token is shown once."""

    token: str
    expires_at: datetime
    person: Person


class NewToken(Written):
    """A token that may do no more than the one it is made with."""

    name: str = Field(examples=["nightly upload"])
    scopes: list[Scope] = Field(examples=[["read", "write"]])
    days: int = Field(examples=[30])
    space_id: UUID | None = None


class Token(Shown):
    """A token, without its secret."""

    id: UUID
    name: str
    scopes: list[Scope]
    space_id: UUID | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenList(Listing[Token]):
    """A page of them."""


class TokenWithSecret(Token):
    """A new token. The secret is shown once; it is null where the answer is repeated."""

    secret: str | None
    note: str | None = None


@router.post(
    "/sign-in",
    response=SignedIn,
    auth=None,
    operation_id="person.sign_in",
    tags=["person"],
    summary="Trade a one-time code for a token",
)
def sign_in(request: HttpRequest, body: SignIn) -> SignedIn:
    """After ten refusals from one address within 15 minutes the answer is 429."""
    new = signin.sign_in(
        body.code, token_name=body.token_name, address=address_of(request), request_id=request_id_of(request)
    )
    person = Person.model_validate(new.token.person)
    return SignedIn(token=new.secret, expires_at=new.token.expires_at, person=person)


@router.post("/tokens", response={201: TokenWithSecret}, openapi_extra=IDEMPOTENT, **named(Verb.TOKEN_CREATE))
def create(request: Request, body: NewToken) -> HttpResponse:
    """The secret is shown once."""
    return once(
        request, 201, lambda: _with_secret(tokens.create(request.auth, **body.model_dump())), secrets=("secret",)
    )


@router.get("/tokens", response=TokenList, **named(Verb.TOKEN_LIST))
def list_(request: Request, paging: Query[Paging]) -> TokenList:
    """One's own, newest first."""
    page = tokens.list_(request.auth, cursor=paging.cursor, limit=paging.limit)
    return TokenList.model_validate({"items": page.rows, "next_cursor": page.next_cursor})


@router.delete("/tokens/{token_id}", response=Token, **named(Verb.TOKEN_REVOKE))
def revoke(request: Request, token_id: Literal["current"] | UUID) -> Token:
    """Ends it at once. `current` is the token of this request."""
    return Token.model_validate(tokens.revoke(request.auth, token_id))


def _with_secret(new: tokens.NewToken) -> TokenWithSecret:
    return TokenWithSecret(**Token.model_validate(new.token).model_dump(), secret=new.secret)
