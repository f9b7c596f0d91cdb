"""People as they come to an edge: with a code, with a token, with a token that may do less."""

from dataclasses import replace
from uuid import UUID

from strongroom.actions import signin, tokens
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Scope

ADDRESS = "192.0.2.7"


def secret_for_code(code: str, *, address: str = ADDRESS) -> str:
    """The token that a one-time code is traded for."""
    return signin.sign_in(code, token_name="test", address=address, request_id="test").secret


def secret_of(actor: Actor, *, scopes: tuple[Scope, ...] = tuple(Scope), space_id: UUID | None = None) -> str:
    """A token of somebody's, narrowed as asked."""
    full = replace(actor, scopes=frozenset(Scope), space_id=None)
    return tokens.create(full, name="test", scopes=scopes, days=1, space_id=space_id).secret


def bearer(secret: str) -> Actor:
    """Who comes with this token."""
    return tokens.authenticate(secret, address=ADDRESS, request_id="test")


def narrowed(actor: Actor, *, scopes: tuple[Scope, ...] = tuple(Scope), space_id: UUID | None = None) -> Actor:
    """The same person with a token of their own, narrowed as asked."""
    return bearer(secret_of(actor, scopes=scopes, space_id=space_id))
