"""Phones with an authenticator app, and people who proved with one that they are themselves."""

import time
from datetime import timedelta

from django.utils import timezone

from strongroom.actions import mfa
from strongroom.core import totp
from strongroom.core.actor import Actor
from tests.bearers import bearer, secret_of

# A code that counts for a moment only may count no more when it arrives.
_LEFT = timedelta(seconds=5)


class Phone:
    """An app that learnt a secret. At one moment it has three codes that count: they are given in their order."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._step = -1

    def code(self) -> str:
        """A code that counts now and a while longer, and was not given before; a fourth one comes 30 seconds later."""
        self._step = max(self._step + 1, totp.step_of(timezone.now() + _LEFT) - 1)
        while self._step > totp.step_of(timezone.now()) + 1:
            time.sleep(0.1)
        return totp.code_at(self.secret, self._step)

    def wrong_code(self) -> str:
        """Six digits that are none of those that count now."""
        now = totp.step_of(timezone.now())
        right = {totp.code_at(self.secret, step) for step in range(now - 2, now + 5)}
        return next(each for each in (f"{number:06}" for number in range(20)) if each not in right)


def enrolled(actor: Actor) -> tuple[Phone, list[str]]:
    """A phone with the actor's factor, and the recovery codes."""
    phone = Phone(mfa.enrol(actor).secret)
    return phone, mfa.confirm(actor, code=phone.code()).recovery_codes


def proved(actor: Actor) -> Actor:
    """The same person with a token of their own that has just proved their factor."""
    secret = secret_of(actor)
    enrolled(bearer(secret))
    return bearer(secret)
