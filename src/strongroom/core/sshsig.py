"""OpenSSH's signature file format, for Ed25519 only; refuses to know the private key or any cryptography.

The raw signature is made and checked by callables, so that the product uses its own library and anybody else
`ssh-keygen -Y verify`. Source: OpenSSH, PROTOCOL.sshsig and PROTOCOL.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say

NAMESPACE = "strongroom-receipt"

_MAGIC = b"SSHSIG"
_VERSION = (1).to_bytes(4, "big")
_ALGORITHM = b"ssh-ed25519"
_HASHES = ("sha256", "sha512")
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_LINE_LENGTH = 70
_IDENTITY = re.compile(r"[A-Za-z0-9._%+@-]{1,200}")
_NAMESPACE = re.compile(r"[A-Za-z0-9._@-]{1,100}")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a signature file says; `public_key` is 32 and `signature` 64 raw bytes. Nothing is checked yet."""

    public_key: bytes
    namespace: str
    hash_algorithm: str
    signature: bytes


def sign(namespace: str, message: bytes, *, public_key: bytes, sign_raw: Callable[[bytes], bytes]) -> str:
    """The armored signature of a message; `sign_raw` returns the 64 bytes of Ed25519 over what it is given."""
    return armor(public_key, namespace, sign_raw(signed_data(namespace, message)))


def verify(
    armored: str,
    message: bytes,
    *,
    namespace: str,
    trusted: Collection[bytes],
    is_valid: Callable[[bytes, bytes, bytes], bool],
) -> Parsed:
    """Check a signature file. `is_valid(public_key, signature, data)` does the Ed25519; `trusted` are raw keys.

    Raises: Invalid, saying which, when it is for another purpose, by a key that is not trusted, or does not match.
    """
    parsed = parse(armored)
    if parsed.namespace != namespace:
        raise Invalid(
            say(
                "The signature is for {namespace!r}, not for {wanted!r}.",
                namespace=parsed.namespace,
                wanted=namespace,
            )
        )
    if parsed.public_key not in trusted:
        key = public_key_line(parsed.public_key, "").strip()
        raise Invalid(say("The signature was made with {key}, which is not among the trusted keys.", key=key))
    data = signed_data(namespace, message, hash_algorithm=parsed.hash_algorithm)
    if not is_valid(parsed.public_key, parsed.signature, data):
        raise Invalid(say("The signature does not match: what was signed, or the signature itself, was changed."))
    return parsed


def signed_data(namespace: str, message: bytes, *, hash_algorithm: str = "sha512") -> bytes:
    """The bytes that Ed25519 signs: the message's hash and what it is for.

    Raises: Invalid for another hash than sha256 or sha512, and for an empty namespace.
    """
    _check_purpose(namespace, hash_algorithm)
    hashed = hashlib.new(hash_algorithm, message).digest()
    parts = (namespace.encode(), b"", hash_algorithm.encode(), hashed)
    return _MAGIC + b"".join(map(_string, parts))


def public_key_blob(raw32: bytes) -> bytes:
    """The public key as SSH sends it. Raises: Invalid unless it is 32 bytes."""
    if len(raw32) != 32:
        raise Invalid(say("An Ed25519 public key is 32 bytes, not {count}.", count=len(raw32)))
    return _string(_ALGORITHM) + _string(raw32)


def public_key_line(raw32: bytes, comment: str) -> str:
    """`ssh-ed25519 AAAA… comment`, the content of a `.pub` file without its line break."""
    if any(character in comment for character in "\r\n\0"):
        raise Invalid(say("The comment of a public key is one line."))
    return f"ssh-ed25519 {base64.b64encode(public_key_blob(raw32)).decode()} {comment}".rstrip()


def parse_public_key_line(line: str) -> bytes:
    """The 32 raw bytes of a `.pub` or `allowed_signers` line. Raises: Invalid when there is no Ed25519 key in it."""
    words = line.split()
    if "ssh-ed25519" not in words[:-1]:
        raise Invalid(say("There is no ssh-ed25519 key in this line."))
    reader = _Reader(_decoded(words[words.index("ssh-ed25519") + 1]))
    raw = _public_key(reader)
    reader.expect_end()
    return raw


def armor(raw_public_key: bytes, namespace: str, raw_signature: bytes) -> str:
    """The signature file: what `ssh-keygen -Y sign` writes, for a signature over `signed_data` with sha512.

    Raises: Invalid for a key or a signature of the wrong length.
    """
    _check_purpose(namespace, "sha512")
    if len(raw_signature) != 64:
        raise Invalid(say("An Ed25519 signature is 64 bytes, not {count}.", count=len(raw_signature)))
    signature = _string(_ALGORITHM) + _string(raw_signature)
    parts = (public_key_blob(raw_public_key), namespace.encode(), b"", b"sha512", signature)
    text = base64.b64encode(_MAGIC + _VERSION + b"".join(map(_string, parts))).decode()
    lines = [text[start : start + _LINE_LENGTH] for start in range(0, len(text), _LINE_LENGTH)]
    return "\n".join([_BEGIN, *lines, _END]) + "\n"


def parse(armored: str) -> Parsed:
    """Read a signature file; it proves nothing until `verify` checked it.

    Raises: Invalid when it is damaged, or not Ed25519 with sha256 or sha512.
    """
    lines = [line.strip() for line in armored.strip().splitlines()]
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        raise Invalid(
            say(
                "This is not a signature file: it does not begin with {begin} and end with {end}.",
                begin=_BEGIN,
                end=_END,
            )
        )
    reader = _Reader(_decoded("".join(lines[1:-1])))
    reader.expect(_MAGIC)
    reader.expect(_VERSION)
    key_reader = _Reader(reader.string())
    public_key = _public_key(key_reader)
    key_reader.expect_end()
    namespace, reserved, hash_algorithm = _text(reader.string()), reader.string(), _text(reader.string())
    _check_purpose(namespace, hash_algorithm)
    if reserved:
        raise Invalid(say("The signature file has content in a reserved field."))
    signature = _raw_signature(_Reader(reader.string()))
    reader.expect_end()
    return Parsed(public_key, namespace, hash_algorithm, signature)


def allowed_signers_line(identity: str, raw32: bytes, namespace: str) -> str:
    """A line of the file `ssh-keygen -Y verify -f` reads, without its line break: this key, for this purpose only.

    Raises: Invalid when the identity or the namespace holds anything that has a meaning in that file.
    """
    if not _IDENTITY.fullmatch(identity) or not _NAMESPACE.fullmatch(namespace):
        raise Invalid(
            say(
                "{identity!r} for {namespace!r} cannot stand in a list of allowed signers.",
                identity=identity,
                namespace=namespace,
            )
        )
    return f'{identity} namespaces="{namespace}" {public_key_line(raw32, "")}'


class _Reader:
    """Takes apart what SSH packed."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def expect(self, literal: bytes) -> None:
        if not self._data.startswith(literal):
            raise Invalid(say("The signature file is damaged, or of a version this program does not know."))
        self._data = self._data[len(literal) :]

    def string(self) -> bytes:
        length = int.from_bytes(self._data[:4], "big")
        if len(self._data) < 4 + length:
            raise Invalid(say("The signature file or key is damaged: it ends too early."))
        taken, self._data = self._data[4 : 4 + length], self._data[4 + length :]
        return taken

    def expect_end(self) -> None:
        if self._data:
            raise Invalid(say("The signature file or key is damaged: something follows its end."))


def _public_key(reader: _Reader) -> bytes:
    algorithm, raw = reader.string(), reader.string()
    if algorithm != _ALGORITHM or len(raw) != 32:
        raise Invalid(say("The signature was not made with an Ed25519 key."))
    return raw


def _raw_signature(reader: _Reader) -> bytes:
    algorithm, raw = reader.string(), reader.string()
    if algorithm != _ALGORITHM or len(raw) != 64:
        raise Invalid(say("The signature is not an Ed25519 signature."))
    reader.expect_end()
    return raw


def _check_purpose(namespace: str, hash_algorithm: str) -> None:
    if not namespace:
        raise Invalid(say("A signature needs a namespace: what it is for."))
    if hash_algorithm not in _HASHES:
        raise Invalid(
            say(
                "The hash {hash!r} is not one of {hashes}.",
                hash=hash_algorithm,
                hashes=", ".join(_HASHES),
            )
        )


def _string(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _text(part: bytes) -> str:
    try:
        return part.decode()
    except UnicodeDecodeError as problem:
        raise Invalid(say("The signature file is damaged: a text in it is not UTF-8.")) from problem


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise Invalid(say("The signature file or key is damaged: it is not base64.")) from problem
