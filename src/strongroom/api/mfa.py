"""The second factor over HTTP. Codes travel in bodies only, never in an address that a log could keep."""

from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from strongroom.actions import mfa
from strongroom.api.answers import IDEMPOTENT, once
from strongroom.api.operations import named
from strongroom.api.people import Person, Reason
from strongroom.api.shapes import Shown, Written
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Verb

router = Router()


class Code(Written):
    """Six digits of the app, or a recovery code; blanks and hyphens do not matter."""

    code: str = Field(max_length=100, examples=["492039"])


class SecondFactor(Shown):
    """One's second factor, and until when the proof of the token of this request counts."""

    is_enrolled: bool
    has_app: bool
    passkeys: int
    enrolled_at: datetime | None
    last_used_at: datetime | None
    recovery_codes_left: int
    proved_at: datetime | None
    proof_ends_at: datetime | None


class Enrolment(Shown):
    """What the app is to learn; `uri` is what its QR code holds. Shown once; null where the answer is repeated."""

    secret: str | None
    uri: str | None
    expires_at: datetime
    note: str | None = None


class Confirmed(SecondFactor):
    """Each recovery code works once in place of a code. Shown once; null where the answer is repeated."""

    recovery_codes: list[str] | None
    note: str | None = None


@router.get("/mfa", response=SecondFactor, **named(Verb.MFA_SHOW))
def show(request: Request) -> SecondFactor:
    """One's own."""
    return SecondFactor.model_validate(mfa.show(request.auth))


@router.post("/mfa/enrol", response={201: Enrolment}, openapi_extra=IDEMPOTENT, **named(Verb.MFA_ENROL))
def enrol(request: Request) -> HttpResponse:
    """Nothing counts until a code confirms it, within 15 minutes."""
    return once(request, 201, lambda: Enrolment.model_validate(mfa.enrol(request.auth)), secrets=("secret", "uri"))


@router.post("/mfa/confirm", response={201: Confirmed}, openapi_extra=IDEMPOTENT, **named(Verb.MFA_CONFIRM))
def confirm(request: Request, body: Code) -> HttpResponse:
    """The factor counts from now on, and as proved with this token. Too many wrong codes: 429."""
    return once(
        request, 201, lambda: _confirmed(mfa.confirm(request.auth, code=body.code)), secrets=("recovery_codes",)
    )


@router.post("/mfa/prove", response=SecondFactor, **named(Verb.MFA_PROVE))
def prove(request: Request, body: Code) -> SecondFactor:
    """For this token alone, for a while. A code works once. Too many wrong codes: 429."""
    return SecondFactor.model_validate(mfa.prove(request.auth, code=body.code))


@router.post("/mfa/remove", response=SecondFactor, **named(Verb.MFA_REMOVE))
def remove(request: Request, body: Code) -> SecondFactor:
    """With a last code. Every proof ends."""
    return SecondFactor.model_validate(mfa.remove(request.auth, code=body.code))


@router.post("/people/{person_id}/mfa/reset", response=Person, **named(Verb.MFA_RESET))
def reset(request: Request, person_id: UUID, body: Reason) -> Person:
    """For somebody who lost it: they enrol anew. Every proof of theirs ends."""
    return Person.model_validate(mfa.reset(request.auth, person_id, reason=body.reason))


def _confirmed(confirmed: mfa.Confirmed) -> Confirmed:
    factor = SecondFactor.model_validate(confirmed.factor)
    return Confirmed(**factor.model_dump(), recovery_codes=confirmed.recovery_codes)
