"""Codes of an authenticator app; refuses to know the clock, and who holds which secret.

Source: RFC 6238 with RFC 4226: HMAC-SHA-1, 6 digits, steps of 30 seconds, which is what every app takes.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
_TOLERANCE = 1  # RFC 6238, 5.2: one step either way, for clocks that differ and people who type slowly


def make_secret(random: Callable[[int], bytes]) -> str:
    """A new secret in base32, 32 characters. `random(n)` returns n unpredictable bytes."""
    return base64.b32encode(random(SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """The code of one step, six digits."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    start = mac[-1] & 15
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(at: datetime) -> int:
    """Which step a moment lies in."""
    return int(at.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, *, at: datetime, later_than: int = -1) -> int | None:
    """The step this code is of, if it is of now, the step before or the one after; None for a wrong one.

    Only a step `later_than` the last one that was accepted counts: a code works once. Source: RFC 6238, 5.2.
    """
    if not looks_like_code(code):
        return None
    now = step_of(at)
    found = None
    for step in range(max(now - _TOLERANCE, later_than + 1), now + _TOLERANCE + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            found = step
    return found


def normalize(code: str) -> str:
    """What a person typed without the blanks and hyphens that apps and papers group digits with."""
    return "".join(code.split()).replace("-", "")


def looks_like_code(code: str) -> bool:
    """Whether this can be a code of an app at all."""
    return len(code) == DIGITS and code.isascii() and code.isdecimal()


def uri(secret: str, *, email: str, issuer: str) -> str:
    """What an app reads from a QR code. Source: Google Authenticator wiki, "Key URI Format"."""
    label = f"{quote(issuer, safe='')}:{quote(email, safe='@')}"
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"
