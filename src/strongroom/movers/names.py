"""Which names S3, this engine and the systems of readers cannot hold; refuses to know files.

A key is a text with `/` between its folders; what no text can be made of arrives with surrogates (PEP 383).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

LONGEST_KEY_BYTES = 1024  # Source: Amazon S3 User Guide, "Naming Amazon S3 objects"
LONGEST_NAME_BYTES = 255  # of one folder or file; Source: Linux, macOS and Windows alike
_SHORT = 255  # characters: at four bytes each still not too long

# The first that fits is said. What the policy of a data set refuses, the mover does not even try.
_REFUSALS = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        ("[\ud800-\udfff]", "its name is not UTF-8, and the names of objects are"),
        ("[\r\n]", "its name holds a line break: nobody could read the object"),
        ("[\x00-\x1f\x7f-\x9f\ufffe\uffff]", "its name holds a control character, which a listing of S3 cannot hold"),
        (r"\\", "its name holds a backslash, which the store takes for a slash"),
        (r"^/|//|/$|^$", "its name begins or ends with a slash, or holds an empty folder"),
        (r"(?:^|/)\.{1,2}(?:/|$)", "`.` and `..` are no names of objects"),
        (r"^_attachments(?:/|$)", "`_attachments` is where Strongroom keeps agreements"),
        (r"(?:^|/)\.uploads/|^\.uploads$", "the store keeps its own things in folders called `.uploads`"),
        (r"\.versions/", "the store keeps its own things in folders whose name ends in `.versions`"),
    )
)
_SUSPECT = re.compile("|".join(pattern.pattern for pattern, _ in _REFUSALS))

# Source: Microsoft, "Naming Files, Paths, and Namespaces".
_NOT_ON_WINDOWS = re.compile(
    r'[<>:"|?*]|[ .]$|^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)', re.IGNORECASE
)


def refusal(key: str) -> str:
    """Why the data set cannot hold an object of this name; empty where it can."""
    if _SUSPECT.search(key):
        return next(reason for pattern, reason in _REFUSALS if pattern.search(key))
    if len(key) > _SHORT and len(key.encode()) > LONGEST_KEY_BYTES:
        return f"its name with its folders is {len(key.encode()):,} bytes long, and S3 holds {LONGEST_KEY_BYTES:,}"
    return ""


def prefix(folder: str) -> str:
    """What keys in a folder of the data set begin with: `scans/`; empty for its top. Raises: ValueError."""
    bare = folder.strip("/")
    if bare and (reason := refusal(f"{bare}/x")):
        raise ValueError(f"{bare!r} cannot be: {reason}")
    return f"{bare}/" if bare else ""


def reservation(name: str) -> str:
    """Why some systems cannot hold a folder or file of this name, though S3 can; empty where all can."""
    if len(name) * 4 > LONGEST_NAME_BYTES and len(name.encode("utf-8", "surrogateescape")) > LONGEST_NAME_BYTES:
        return f"its name is longer than the {LONGEST_NAME_BYTES} bytes that file systems hold"
    if _NOT_ON_WINDOWS.search(name):
        return "Windows cannot hold a file of this name"
    return ""


def folded(name: str) -> str:
    """The same for two names that macOS or Windows take for one."""
    return (
        name.lower() if name.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
    )


def clashes(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each name of one folder that some systems take for another of it, with that other, which comes first."""
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(folded(name), name)
        if other is not name:
            yield name, other


def shown(name: str) -> str:
    """As it can be written to a file or a terminal: what is not UTF-8 is spelled out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
