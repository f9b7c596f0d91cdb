"""Which files of a folder are meant: `--include` and `--exclude`.

`*` and `?` stay within a name, `**` goes through folders. A pattern without a slash is compared with the name of each
file and folder, one with a slash with the whole path. What fits a folder fits everything in it.
"""

from __future__ import annotations

import contextlib
import functools
import re
from dataclasses import dataclass

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^]]+\]|.", re.DOTALL)
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True)
class Selection:
    """What is meant: everything, or what fits `include`; never what fits `exclude`."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, key: str) -> bool:
        """Whether a file is meant. A folder that is not is not entered: ask `enters`."""
        if self.exclude and _compiled(self.exclude).search(key):
            return False
        return not self.include or _compiled(self.include).search(key) is not None

    def enters(self, folder: str) -> bool:
        """Whether anything in a folder can be meant."""
        return not self.exclude or _compiled(self.exclude).search(folder + "/") is None


EVERYTHING = Selection()


@functools.lru_cache(maxsize=16)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_one, patterns)), re.DOTALL)


def _one(pattern: str) -> str:
    told = pattern.rstrip("/")
    begins = "^" if "/" in told else "(?:^|/)"
    ends = "/" if pattern.endswith("/") else "(?:/|$)"
    return begins + "".join(map(_meaning, _PARTS.findall(told.lstrip("/")))) + ends


def _meaning(part: str) -> str:
    if part in _MEANING:
        return _MEANING[part]
    if part.startswith("[") and len(part) > 1:
        inner = part[1:-1].replace("\\", "\\\\")
        meaning = "[^/" + inner[1:] + "]" if inner.startswith("!") else f"[{inner}]"
        with contextlib.suppress(re.error):  # such as `[z-a]`, which stands for itself
            re.compile(meaning)
            return meaning
    return re.escape(part)
