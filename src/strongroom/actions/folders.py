"""Looks into a data set folder by folder, as people do; the engine knows keys only, in one long order."""

from dataclasses import dataclass
from uuid import UUID

from strongroom import engines
from strongroom.actions import inventory
from strongroom.actions.deeds import doing
from strongroom.actions.paging import MAX_LIMIT
from strongroom.core.actor import Actor
from strongroom.core.errors import Invalid
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Verb
from strongroom.engines import StoredObject

COUNTED = 1_000  # objects of one folder that are counted; a larger one is left out by asking for what follows it
_BEHIND = "\U0010ffff"  # no name in a folder begins with a later character


@dataclass(slots=True)
class Folder:
    """What lies under one prefix, which ends with a slash; the sums are lower bounds unless `is_counted`."""

    prefix: str
    name: str
    object_count: int = 0
    size_bytes: int = 0
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies right under a prefix, in key order, and the key to go on after (None: this was the last)."""

    prefix: str
    folders: list[Folder]
    files: list[StoredObject]
    next_after: str | None

    @property
    def total(self) -> Folder | None:
        """The sum of everything below the prefix; None where this is a part of it, or not all was counted."""
        if self.next_after is not None or not all(each.is_counted for each in self.folders):
            return None
        counts, sizes = [each.object_count for each in self.folders], [each.size_bytes for each in self.folders]
        size_bytes = sum(sizes) + sum(each.size_bytes for each in self.files)
        return Folder(self.prefix, "", sum(counts) + len(self.files), size_bytes)


def show(actor: Actor, dataset_id: UUID, *, prefix: str = "", after: str = "", limit: int = 200) -> Listing:
    """The folders and files right under `prefix` (empty, or ending with a slash), attachments left out.

    Raises: NotFound, Forbidden, Conflict (deleted), Invalid (limit outside 1..500, prefix), Unavailable.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(
            say("limit must be between 1 and {most}.", most=MAX_LIMIT),
            fields={"limit": say("1 to {most}", most=MAX_LIMIT)},
        )
    if prefix and not prefix.endswith("/"):
        raise Invalid(say("A folder's name ends with a slash."), fields={"prefix": say("must end with a slash")})
    with doing(actor, Verb.DATASET_CONTENTS) as deed:
        repository = deed.dataset(dataset_id).repository
    return walk(repository, prefix=prefix, after=after, limit=limit)


def walk(repository: str, *, prefix: str, after: str, limit: int) -> Listing:
    """The same of a bucket, for whoever has been authorized. Raises: Unavailable."""
    return _Walk(repository, prefix, limit).run(after)


class _Walk:
    """One pass over the keys under a prefix."""

    def __init__(self, repository: str, prefix: str, limit: int) -> None:
        self._repository, self._prefix, self._limit = repository, prefix, limit
        self._folders: dict[str, Folder] = {}
        self._files: list[StoredObject] = []

    def run(self, after: str) -> Listing:
        """Everything from `after` on, up to the limit."""
        last: str = after
        place: str | None = after
        while place is not None:
            last, place, is_full = self._stretch(place, last)
            if is_full:
                return self._listing(last)
        return self._listing(None)

    def _listing(self, next_after: str | None) -> Listing:
        return Listing(self._prefix, list(self._folders.values()), self._files, next_after)

    def _stretch(self, place: str, last: str) -> tuple[str, str | None, bool]:
        """Read on from `place`: where this page would end, where to begin anew (None: nowhere), whether it is full."""
        for stored in engines.current().list_objects(self._repository, prefix=self._prefix, after=place):
            if inventory.is_attachment(stored.key):
                continue
            name, slash, _ = stored.key[len(self._prefix) :].partition("/")
            inside = f"{self._prefix}{name}/"
            if not slash or inside not in self._folders:
                if len(self._folders) + len(self._files) == self._limit:
                    return last, None, True
                last = f"{inside}{_BEHIND}" if slash else stored.key
            if not slash:
                self._files.append(stored)
            elif self._is_too_large(inside, name, stored):
                return last, f"{inside}{_BEHIND}", False
        return last, None, False

    def _is_too_large(self, inside: str, name: str, stored: StoredObject) -> bool:
        folder = self._folders.setdefault(inside, Folder(inside, name))
        folder.object_count += 1
        folder.size_bytes += stored.size_bytes
        folder.is_counted = folder.object_count < COUNTED
        return not folder.is_counted
