"""Which groups somebody is in besides those that their provider named; refuses to know what a group is good for.

Two kinds of nesting. A group written as a path, `/hospital/genomics`, lies within `/hospital`: whoever is in the inner
one is in the outer one. Where a provider names only direct groups, one group is declared to lie within another.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from strongroom.core.vocabulary import Role, StaffRole

Word = TypeVar("Word", bound=StrEnum)
ROLES = (Role.OWNER, Role.STEWARD, Role.RESEARCHER, Role.AUDITOR)
STAFF_ROLES = (StaffRole.ADMINISTRATOR, StaffRole.SUPPORT)
"""Of several roles that groups give, the first of these counts."""

_LONGEST, _MOST = 400, 5000


def held(direct: Iterable[str], nestings: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Every group that membership in these implies, themselves included.

    `nestings` maps a group to those it is declared to lie within. A circle adds nothing and is no error.
    """
    found: set[str] = set()
    waiting = list(direct)
    while waiting:
        group = waiting.pop()
        if group not in found:
            found.add(group)
            waiting += [*_around(group), *nestings.get(group, ())]
    return frozenset(found)


def clean(names: Iterable[object]) -> tuple[str, ...]:
    """Names of groups as a provider says them, each once and in normal form C; what can be no name is left out."""
    texts = (unicodedata.normalize("NFC", each).strip() for each in names if isinstance(each, str))
    usable = dict.fromkeys(each for each in texts if 0 < len(each) <= _LONGEST and each.isprintable())
    return tuple(islice(usable, _MOST))


def closes_a_circle(inner: str, outer: str, nestings: Mapping[str, Collection[str]]) -> bool:
    """Whether declaring `inner` to lie within `outer` would make each lie within the other."""
    return inner in held([outer], nestings)


def first(roles: Collection[Word], order: Sequence[Word]) -> Word | None:
    """The one that counts."""
    return next((role for role in order if role in roles), None)


def _around(group: str) -> Iterator[str]:
    """The paths above a path."""
    while group.startswith("/") and (group := group.rpartition("/")[0]):
        yield group
