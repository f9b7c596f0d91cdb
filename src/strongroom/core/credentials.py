"""The shapes of secrets and what each kind of credential may do; refuses to know who holds one.

Randomness is an argument: `secrets.token_bytes` in the product.
"""

import hashlib
import re
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Verb

# For secret scanners; `looks_like_token` checks the last six characters as well.
TOKEN_PATTERN = r"srt_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}"
JOIN_TOKEN_PATTERN = r"srj_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}"

_TOKEN = re.compile(TOKEN_PATTERN)
_JOIN_TOKEN = re.compile(JOIN_TOKEN_PATTERN)
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Source: Douglas Crockford, "Base 32": no I, L, O, U; what people mistype is read as what was meant.
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_CODE_BYTES = 10
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"


class CredentialKind(StrEnum):
    """What a request to the API can come with."""

    TOKEN = "token"
    SIGN_IN_CODE = "sign-in-code"


# A token is narrowed further by its scopes (core.authz). A code can be traded for a token, once, and nothing else.
MAY: Mapping[CredentialKind, frozenset[Verb]] = MappingProxyType(
    {
        CredentialKind.TOKEN: frozenset(Verb),
        CredentialKind.SIGN_IN_CODE: frozenset({Verb.TOKEN_CREATE}),
    }
)


def may(kind: CredentialKind, verb: Verb) -> bool:
    """Whether this kind of credential is good for this deed at all, whoever holds it."""
    return verb in MAY[kind]


def make_token(random: Callable[[int], bytes]) -> str:
    """A personal access token: `srt_`, 256 random bits as 43 characters, and 6 of a checksum; 53 in all.

    `random(n)` returns n unpredictable bytes.
    """
    return _secret("srt_", random)


def looks_like_token(text: str) -> bool:
    """Whether this has the form and the checksum of a token; it says nothing about whether it is one."""
    return _TOKEN.fullmatch(text) is not None and _checksum(text[:-6]) == text[-6:]


def make_join_token(random: Callable[[int], bytes]) -> str:
    """What a machine joins with, once: `srj_`, 256 random bits as 43 characters, and 6 of a checksum; 53 in all."""
    return _secret("srj_", random)


def looks_like_join_token(text: str) -> bool:
    """Whether this has the form and the checksum of a join token; it says nothing about whether it is one."""
    return _JOIN_TOKEN.fullmatch(text) is not None and _checksum(text[:-6]) == text[-6:]


def make_sign_in_code(random: Callable[[int], bytes]) -> str:
    """A one-time code of 80 random bits, `XXXX-XXXX-XXXX-XXXX`, that can be read out and typed in."""
    number = int.from_bytes(random(_CODE_BYTES), "big")
    letters = "".join(_CROCKFORD[number >> shift & 31] for shift in range(75, -1, -5))
    return _grouped(letters)


def make_device_code(random: Callable[[int], bytes]) -> str:
    """What a terminal that waits to be let in keeps: `srd_`, 256 random bits as 43 characters, and a checksum."""
    return _secret("srd_", random)


def make_user_code(choose: Callable[[str], str]) -> str:
    """What a terminal that waits shows, `BCDF-GHJK`: 34 random bits, good for minutes, no vowels and so no words.

    `choose(letters)` returns one of them unpredictably. Source: RFC 8628, 6.1.
    """
    letters = "".join(choose(_CONSONANTS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def normalize_user_code(text: str) -> str:
    """The code as it was made, from what a person typed; what cannot be one stays wrong."""
    letters = "".join(each for each in text.upper() if each in _CONSONANTS)[:9]
    return f"{letters[:4]}-{letters[4:]}"


def normalize_sign_in_code(text: str) -> str:
    """The code as it was made, from what a person typed: case, hyphens, spaces, O for 0 and I or L for 1 forgiven.

    Raises: Invalid when it cannot be a code.
    """
    letters = text.strip().upper().translate(_MISREAD)
    if len(letters) != 16 or not set(letters) <= set(_CROCKFORD):
        way_out = say("Copy the whole code, such as 7X4M-01AB-Q2ZT-9KRE, or ask for a new one.")
        problem = say("is not four groups of four letters and digits")
        raise Invalid(
            say("The sign-in code {problem}.", problem=problem),
            fields={"code": say("{problem}. {way_out}", problem=problem, way_out=way_out)},
            way_out=way_out,
        )
    return _grouped(letters)


def digest(secret: str) -> str:
    """What is stored of a secret: hexadecimal SHA-256. The secrets above are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _secret(prefix: str, random: Callable[[int], bytes]) -> str:
    body = prefix + urlsafe_b64encode(random(32)).decode().rstrip("=")
    return body + _checksum(body)


def _grouped(letters: str) -> str:
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits
