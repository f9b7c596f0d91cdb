"""Personal access tokens: made, listed, revoked, and turned into the actor of a request."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from strongroom.actions.configuration import settings
from strongroom.actions.deeds import doing
from strongroom.actions.paging import Page, page
from strongroom.core.actor import Actor
from strongroom.core.credentials import digest, looks_like_token, make_token
from strongroom.core.errors import Forbidden, Invalid, NotFound, Unauthenticated
from strongroom.core.ledger import Json
from strongroom.core.names import clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Scope, StaffRole, Verb
from strongroom.db.models import Person, Space, Token

_HOW_TO_SIGN_IN = say("Sign in with `strongroom login`, or create a token with `strongroom token create`.")
_NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token and its secret, which exists here and at the person it is shown to, nowhere else."""

    token: Token
    secret: str

    def __repr__(self) -> str:
        return f"NewToken({self.token.id}, secret=***)"


def create(actor: Actor, *, name: str, scopes: Iterable[Scope], days: int, space_id: UUID | None = None) -> NewToken:
    """A new token of one's own, never wider than the credential it is made with; `days` from 1 to the setting.

    Raises: Forbidden `scope` for a wider one; NotFound for a space one may not see; Invalid.
    """
    with doing(actor, Verb.TOKEN_CREATE) as deed:
        deed.platform()
        deed.subject = clean_text("name", name, max_length=100)
        wanted = _narrower(actor, frozenset(scopes))
        deed.space_id = _space(actor, space_id)
        _check_days(days)
        person = Person.objects.select_for_update(no_key=True).get(id=actor.person_id)
        new = new_token(person, name=deed.subject, scopes=wanted, days=days, space_id=deed.space_id, now=deed.now)
        deed.record(after=_facts(new.token))
        return new


def list_(actor: Actor, *, cursor: str | None = None, limit: int = 100) -> Page[Token]:
    """One's own tokens, newest first, ended ones too; of a token narrowed to a space, those of that space."""
    with doing(actor, Verb.TOKEN_LIST) as deed:
        deed.platform()
        return page(_own(actor), by=["-created_at", "-id"], cursor=cursor, limit=limit)


def revoke(actor: Actor, token_id: UUID | Literal["current"]) -> Token:
    """End a token at once; ended already is fine. Staff administrators may end anybody's.

    A credential may always end itself, whatever its scopes. Raises: NotFound, Forbidden.
    """
    wanted = actor.token_id if token_id == "current" else token_id
    with doing(actor, Verb.TOKEN_REVOKE, subject=str(wanted)) as deed:
        if wanted is None or wanted != actor.token_id:
            deed.platform()
        token = _endable(actor).select_for_update(no_key=True).filter(id=wanted or UUID(int=0)).first()
        if token is None:
            raise NotFound(
                say("There is no token {token_id} that you may see.", token_id=wanted),
                way_out=say("See `strongroom token list`."),
            )
        deed.subject = token.name
        if token.revoked_at is None:
            token.revoked_at = deed.now
            token.save(update_fields=["revoked_at"])
            deed.record(before=_facts(token), after={"revoked_at": deed.now.isoformat()})
        return token


def authenticate(secret: str, *, address: str, request_id: str) -> Actor:
    """Who comes with this token. Found by its digest, so that comparing tells nothing about the secret.

    Raises: Unauthenticated, saying how to get a token; of one that has ended, that it has, for its bearer knew it.
    """
    if not looks_like_token(secret):
        raise Unauthenticated(say("This is not an access token of Strongroom."), way_out=_HOW_TO_SIGN_IN)
    token = Token.objects.select_related("person").filter(secret_sha256=digest(secret)).first()
    if token is None:
        raise Unauthenticated(say("This access token is not known here."), way_out=_HOW_TO_SIGN_IN)
    now = timezone.now()
    _refuse_ended(token, now)
    _note_use(token, now)
    person = token.person
    return Actor(
        person_id=person.id,
        email=person.email,
        staff_role=StaffRole(person.staff_role) if person.staff_role else None,
        scopes=frozenset(Scope(scope) for scope in token.scopes),
        space_id=token.space_id,
        token_id=token.id,
        mfa_proved_at=token.mfa_proved_at,
        address=address,
        request_id=request_id,
    )


def new_token(
    person: Person, *, name: str, scopes: frozenset[Scope], days: int, space_id: UUID | None, now: datetime
) -> NewToken:
    """Write a token for somebody who was authorized. Raises: Unauthenticated when they were disabled meanwhile."""
    if not person.is_active:
        raise Unauthenticated(
            say("{person} was disabled.", person=person.email), way_out=say("Ask an administrator of the platform.")
        )
    secret = make_token(secrets.token_bytes)
    token = Token.objects.create(
        person=person,
        name=name,
        secret_sha256=digest(secret),
        scopes=sorted(scopes),
        space_id=space_id,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return NewToken(token, secret)


def _narrower(actor: Actor, wanted: frozenset[Scope]) -> frozenset[Scope]:
    if not wanted:
        raise Invalid(say("A token needs at least one scope."), fields={"scopes": say("read, write or manage")})
    if wider := wanted - actor.scopes:
        raise Forbidden(
            say("A token cannot make a wider one: yours does not carry {wider}.", wider=", ".join(sorted(wider))),
            code="scope",
            way_out=say("Sign in anew with `strongroom login`, and make the token with that."),
        )
    return wanted


def _space(actor: Actor, space_id: UUID | None) -> UUID | None:
    if space_id is None:
        return actor.space_id
    if not Space.objects.visible_to(actor).filter(id=space_id).exists():
        raise NotFound(
            say("There is no space {space_id} that you may see.", space_id=space_id),
            way_out=say("See `strongroom space list`."),
        )
    return space_id


def _check_days(days: int) -> None:
    longest = settings().token_max_days
    if not 1 <= days <= longest:
        raise Invalid(
            say("A token can live for 1 to {longest} days.", longest=longest),
            fields={"days": say("1 to {longest}", longest=longest)},
        )


def _own(actor: Actor) -> QuerySet[Token]:
    own = Token.objects.filter(person_id=actor.person_id)
    return own.filter(space_id=actor.space_id) if actor.space_id else own


def _endable(actor: Actor) -> QuerySet[Token]:
    if actor.staff_role is StaffRole.ADMINISTRATOR and actor.space_id is None:
        return Token.objects.all()
    return _own(actor)


def _refuse_ended(token: Token, now: datetime) -> None:
    if token.revoked_at is not None:
        raise Unauthenticated(
            say("This token was revoked on {revoked_at:%Y-%m-%d}.", revoked_at=token.revoked_at),
            way_out=_HOW_TO_SIGN_IN,
        )
    if token.expires_at <= now:
        raise Unauthenticated(
            say("This token expired on {expires_at:%Y-%m-%d}.", expires_at=token.expires_at), way_out=_HOW_TO_SIGN_IN
        )
    if not token.person.is_active:
        raise Unauthenticated(
            say("{person} was disabled.", person=token.person.email),
            way_out=say("Ask an administrator of the platform."),
        )


def _note_use(token: Token, now: datetime) -> None:
    due = Q(last_used_at=None) | Q(last_used_at__lt=now - _NOTE_USE_EVERY)
    if token.last_used_at is None or token.last_used_at < now - _NOTE_USE_EVERY:
        Token.objects.filter(due, id=token.id).update(last_used_at=now)


def _facts(token: Token) -> dict[str, Json]:
    return {
        "id": str(token.id),
        "name": token.name,
        "person_id": str(token.person_id),
        "scopes": list(token.scopes),
        "space_id": str(token.space_id) if token.space_id else None,
        "expires_at": token.expires_at.isoformat(),
    }
