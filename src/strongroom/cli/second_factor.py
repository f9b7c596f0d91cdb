"""Asks for codes of the authenticator app, and does again what had to wait for one."""

from collections.abc import Callable
from io import StringIO
from typing import TypeVar

import click
import segno

from strongroom.cli import problems
from strongroom.cli.output import Json
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session

Found = TypeVar("Found")

_TRIES = 3
NEEDED = "mfa-needed"
WRONG = "mfa-code"


def code(session: Session, given: str | None, *, what: str = "Code of your authenticator app") -> str:
    """What was given, or what somebody types. Raises Problem where nobody is there to be asked."""
    if given:
        return given
    if not session.is_interactive:
        raise problems.usage("A code is needed.", "Give the one that your authenticator app shows, or a recovery code.")
    return str(click.prompt(what, err=True))


def asking(session: Session, given: str | None, send: Callable[[str], Found], *, what: str | None = None) -> Found:
    """`send` a code; a wrong one that was typed is asked for again, three times in all. Raises Problem."""
    words = {"what": what} if what else {}
    for left in range(_TRIES - 1, -1, -1):
        try:
            return send(code(session, given, **words))
        except Problem as problem:
            if problem.code != WRONG or given or not left:
                raise
            session.out.problem(problem)
    raise AssertionError("the last try returns or raises")


def prove(session: Session, given: str | None) -> Json:
    """Prove the second factor with the token of this session; how long that counts. Raises Problem."""
    return asking(session, given, lambda typed: session.api.post("/mfa/prove", {"code": typed}))


def proving(session: Session, given: str | None, do: Callable[[], Found]) -> Found:
    """Do it; where it needs a fresh proof of the second factor, prove it and do it again. Raises Problem."""
    try:
        return do()
    except Problem as problem:
        if problem.code != NEEDED or not (given or session.is_interactive):
            raise
    prove(session, given)
    return do()


def picture(uri: str) -> str:
    """A QR code in half blocks, as dark as a terminal is, for an app's camera."""
    drawn = StringIO()
    segno.make(uri, error="l").terminal(drawn, compact=True)
    return drawn.getvalue()
