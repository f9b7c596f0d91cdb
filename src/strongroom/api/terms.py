"""The terms for sensitive data, over HTTP."""

from datetime import datetime

from ninja import Router
from pydantic import Field

from strongroom.actions import terms
from strongroom.api.operations import named
from strongroom.api.shapes import Shown, Written
from strongroom.api.signed_in import Request
from strongroom.core.vocabulary import Verb

router = Router()


class Terms(Shown):
    """The text in force, and when whoever asks accepted exactly this version."""

    version: str
    text: str
    accepted_at: datetime | None


class Acceptance(Written):
    """Which version was read."""

    version: str = Field(examples=["3f1c0a9d5e77"])


@router.get("/terms", response=Terms, **named(Verb.TERMS_SHOW))
def show(request: Request) -> Terms:
    """As they are now."""
    return Terms.model_validate(terms.show(request.auth))


@router.post("/terms/accept", response=Terms, **named(Verb.TERMS_ACCEPT))
def accept(request: Request, body: Acceptance) -> Terms:
    """409 when another version is in force by now. A second time is fine."""
    return Terms.model_validate(terms.accept(request.auth, version=body.version))
