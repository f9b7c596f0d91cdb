"""The text files of a bag (BagIt 1.0) and of `sha256sum`: a digest and a path a line. Refuses to know any folder.

A key that ends in `/` and holds nothing marks a folder: it is no file, so neither form has a line for it.
Source: RFC 8493, sections 2.1 to 2.2; GNU coreutils, manual of `md5sum`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from strongroom.core import canonical
from strongroom.core.errors import Invalid
from strongroom.core.sentences import say

DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
DECLARATION_FILE, INFO_FILE = "bagit.txt", "bag-info.txt"
MANIFEST_FILE, TAG_MANIFEST_FILE = "manifest-sha256.txt", "tagmanifest-sha256.txt"
PAYLOAD = "data/"

_ENCODED = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))  # of a path, these alone; the sign itself first
_DECODED = {"%25": "%", "%0d": "\r", "%0a": "\n"}
_ESCAPED = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"))
_UNESCAPED = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


def is_folder(key: str, size_bytes: int) -> bool:
    """Whether an object only marks a folder."""
    return key.endswith("/") and size_bytes == 0


def line(sha256: str, key: str) -> bytes:
    """One line of `manifest-sha256.txt`: the files of the data set are the payload of the bag."""
    for sign, code in _ENCODED:
        key = key.replace(sign, code)
    return f"{sha256}  {PAYLOAD}{key}\n".encode()


def sum_line(sha256: str, key: str) -> bytes:
    """One line that `sha256sum -c` reads in the folder that holds the files."""
    escaped = key
    for sign, code in _ESCAPED:
        escaped = escaped.replace(sign, code)
    mark = "\\" if escaped != key else ""
    return f"{mark}{sha256}  {escaped}\n".encode()


def read(lines: Iterable[bytes], *, is_bag: bool) -> Iterator[tuple[str, str]]:
    """Digest and key of each line of a bag's manifest, or else of what `sha256sum` reads; empty lines are passed over.

    Raises: Invalid that names the line.
    """
    for number, raw in enumerate(lines, start=1):
        try:
            text = raw.decode().rstrip("\n")
        except UnicodeDecodeError as problem:
            raise Invalid(say("Line {number} of the list of digests is not UTF-8.", number=number)) from problem
        if text:
            yield _read(number, text, is_bag)


def _read(number: int, text: str, is_bag: bool) -> tuple[str, str]:
    is_escaped = not is_bag and text.startswith("\\")
    found = re.fullmatch(r"([0-9A-Fa-f]{64})(?: [ *]|[ \t]+)(.+)", text[is_escaped:], re.DOTALL)
    if found is None or (is_bag and not found[2].startswith(PAYLOAD)):
        raise Invalid(
            say(
                "Line {number} of the list of digests is no SHA-256 and a path: {text!r}.",
                number=number,
                text=text[:120],
            )
        )
    path = found[2]
    if is_escaped:
        path = re.sub(r"\\[\\nr]", lambda each: _UNESCAPED[each[0]], path)
    if is_bag:
        path = re.sub(r"%(?:25|0[AaDd])", lambda each: _DECODED[each[0].lower()], path.removeprefix(PAYLOAD))
    return found[1].lower(), path


def info(fields: Iterable[tuple[str, str]]) -> str:
    """`bag-info.txt`: a label and a value a line; line ends in a value become blanks, and empty values are left out."""
    return "".join(f"{label}: {' '.join(value.split())}\n" for label, value in fields if value.split())


def oxum(size_bytes: int, file_count: int) -> str:
    """`Payload-Oxum`: bytes and files of the payload, so that a half copied bag is noticed at once."""
    return f"{size_bytes}.{file_count}"


def day(at: date) -> str:
    """`Bagging-Date`."""
    return f"{at:%Y-%m-%d}"


def tag_manifest(digests: Mapping[str, str]) -> str:
    """`tagmanifest-sha256.txt` of the SHA-256 of each tag file, by its name."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))


def of_checksum(checksum: str | None) -> str | None:
    """The SHA-256 in a manifest's `checksum`; None for another kind, or none."""
    kind, _, value = (checksum or "").partition(":")
    return value if kind == "sha256" and canonical.is_sha256(value) else None
