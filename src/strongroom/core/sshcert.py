"""OpenSSH certificates: what one says, and which public keys may get one; refuses to know the key that signs.

The parts of a certificate that depend on the kind of key are those of the public key itself, so that security keys
(`sk-…`) work like any other. Source: OpenSSH, PROTOCOL.certkeys, PROTOCOL.u2f and PROTOCOL.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from strongroom.core import sshsig
from strongroom.core.errors import Invalid
from strongroom.core.sentences import Sentence, say

NONCE_BYTES = 32
LEAST_RSA_BITS = 3072
_LARGEST_KEY_BYTES = 4096

_CERTIFICATE_TYPES: Mapping[str, str] = {
    "ssh-ed25519": "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256": "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ssh-rsa": "ssh-rsa-cert-v01@openssh.com",
    "sk-ssh-ed25519@openssh.com": "sk-ssh-ed25519-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com": "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
}
_TAKEN = "ssh-ed25519, ecdsa-sha2-nistp256, ssh-rsa of 3072 bits or more, and the two kinds of security keys (sk-…)"
_WAY_OUT = say("Make one with `ssh-keygen -t ed25519`, and give its .pub file.")


class Purpose(IntEnum):
    """Whom a certificate names."""

    USER = 1
    HOST = 2


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that may get a certificate: its type, and the whole of it as SSH sends it."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as `ssh-keygen -l` shows it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a certificate says. `serial` is at most 64 bits; both times are aware.

    A certificate for a user permits nothing that no extension names.
    """

    purpose: Purpose
    serial: int
    key_id: str
    principals: Sequence[str]
    valid_from: datetime
    valid_until: datetime
    extensions: Sequence[str] = ()


def parse_public_key(line: str) -> PublicKey:
    """Read the content of a `.pub` file. Raises: Invalid, with the way out, for what may not get a certificate."""
    if "PRIVATE KEY" in line:
        raise _invalid(
            say("is a private key, which nobody but you may have"), say("Make a new key, and give its .pub file.")
        )
    words = line.split()
    if len(words) < 2 or "\n" in line.strip():
        raise _invalid(say("is not a line like `ssh-ed25519 AAAA…`"), _WAY_OUT)
    if "-cert-v01@" in words[0]:
        raise _invalid(say("is a certificate"), say("Give the .pub file of the key itself."))
    if words[0] not in _CERTIFICATE_TYPES:
        raise _invalid(say("is of the type {kind!r}; taken are {taken}", kind=words[0][:60], taken=_TAKEN), _WAY_OUT)
    key = PublicKey(words[0], _decoded(words[1]))
    _check(key)
    return key


def sign(
    statement: Statement, key: PublicKey, *, authority: bytes, nonce: bytes, sign_raw: Callable[[bytes], bytes]
) -> str:
    """The certificate as the line of a `-cert.pub` file, its key id as the comment.

    `authority` are the 32 raw bytes of the Ed25519 key that `sign_raw` signs with; `nonce` 32 unpredictable bytes.
    """
    signer = sshsig.public_key_blob(authority)
    kind = _CERTIFICATE_TYPES[key.type]
    body = b"".join(
        [
            _string(kind.encode()),
            _string(nonce),
            *map(_string, _fields(key.blob)[1:]),
            statement.serial.to_bytes(8, "big"),
            int(statement.purpose).to_bytes(4, "big"),
            _string(statement.key_id.encode()),
            _string(b"".join(_string(each.encode()) for each in statement.principals)),
            _moment(statement.valid_from),
            _moment(statement.valid_until),
            _string(b""),  # critical options
            _string(b"".join(_string(each.encode()) + _string(b"") for each in sorted(statement.extensions))),
            _string(b""),  # reserved
            _string(signer),
        ]
    )
    signature = _string(b"ssh-ed25519") + _string(sign_raw(body))
    return f"{kind} {base64.b64encode(body + _string(signature)).decode()} {statement.key_id}"


def _check(key: PublicKey) -> None:
    fields = _fields(key.blob)
    if fields[0] != key.type.encode():
        raise _invalid(say("says it is {kind}, and is another kind of key", kind=key.type), _WAY_OUT)
    is_sound = {
        "ssh-ed25519": lambda: _is_ed25519(fields, 2),
        "sk-ssh-ed25519@openssh.com": lambda: _is_ed25519(fields, 3),
        "ecdsa-sha2-nistp256": lambda: _is_p256(fields, 3),
        "sk-ecdsa-sha2-nistp256@openssh.com": lambda: _is_p256(fields, 4),
        "ssh-rsa": lambda: _is_rsa(fields),
    }[key.type]()
    if not is_sound:
        raise _invalid(say("is no sound key of the type {kind}", kind=key.type), _WAY_OUT)


def _is_ed25519(fields: Sequence[bytes], count: int) -> bool:
    return len(fields) == count and len(fields[1]) == 32


def _is_p256(fields: Sequence[bytes], count: int) -> bool:
    return len(fields) == count and fields[1] == b"nistp256" and len(fields[2]) == 65 and fields[2][0] == 4


def _is_rsa(fields: Sequence[bytes]) -> bool:
    if len(fields) != 3:
        return False
    exponent, modulus = (int.from_bytes(each, "big", signed=True) for each in fields[1:])
    if modulus.bit_length() < LEAST_RSA_BITS:
        raise _invalid(
            say(
                "is an RSA key of {bits} bits, and {least} are needed", bits=modulus.bit_length(), least=LEAST_RSA_BITS
            ),
            _WAY_OUT,
        )
    return modulus % 2 == 1 and exponent > 2 and exponent % 2 == 1


def _fields(blob: bytes) -> list[bytes]:
    return list(_strings(blob))


def _strings(blob: bytes) -> Iterator[bytes]:
    while blob:
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            raise _invalid(say("is damaged: it ends too early"), _WAY_OUT)
        yield blob[4 : 4 + length]
        blob = blob[4 + length :]


def _decoded(text: str) -> bytes:
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid(say("is damaged: it is not base64"), _WAY_OUT) from None
    if not 4 < len(blob) <= _LARGEST_KEY_BYTES:
        raise _invalid(say("is damaged: a key is not of that length"), _WAY_OUT)
    return blob


def _moment(at: datetime) -> bytes:
    return int(at.timestamp()).to_bytes(8, "big")


def _string(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _invalid(problem: Sentence, way_out: Sentence) -> Invalid:
    return Invalid(
        say("The public key {problem}.", problem=problem),
        fields={"public_key": say("{problem}. {way_out}", problem=problem, way_out=way_out)},
        way_out=way_out,
    )
