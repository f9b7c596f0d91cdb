"""What somebody still holds when they lose a role: keys whose secret they were shown, and servers they answer for."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from strongroom.actions import converge, cutting, ledger, owning
from strongroom.actions.deeds import Deed
from strongroom.core import authz
from strongroom.core.ledger import Json
from strongroom.core.vocabulary import KeyStatus, Role, Verb
from strongroom.db.models import Grant, Server, UploadKey
from strongroom.db.models.keys import LIVE


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was taken away in the rows, and the data sets whose policies must now be `cut`."""

    keys: int
    servers: int
    dataset_ids: tuple[UUID, ...]

    def facts(self) -> dict[str, Json]:
        """As it stands in the ledger."""
        return {"keys_revoked": self.keys, "servers_disabled": self.servers}


def withdraw(deed: Deed, person_id: UUID, *, space_id: UUID | None = None, role: Role | None = None) -> Withdrawn:
    """End the person's live keys and disable their servers in the rows (of one space, or everywhere).

    With a `role`, what somebody of this role may still hold is kept.
    """
    servers = [] if owning.may_own(role) else _lock_servers(person_id, space_id)
    keys = [key for key in _held_by(person_id, space_id) if not _may_keep(key, person_id, role)]
    # Every data set concerned is locked here and in one order; what follows finds them locked.
    granted = Grant.objects.filter(server__in=servers, ended_at=None).values_list("dataset_id", flat=True)
    datasets = {row.id: row for row in cutting.lock_datasets([*granted, *(key.dataset_id for key in keys)])}
    ended = [key for key in keys if _end(deed, key)]
    for key in ended:
        converge.request(datasets[key.dataset_id])
    cut = [key.dataset_id for key in ended] + _suspend(deed, servers)
    return Withdrawn(len(ended), len(servers), tuple(sorted(set(cut))))


def cut(withdrawn: Withdrawn) -> None:
    """After the transaction: return when nothing of it works any more. Raises Unavailable as `converge.cut`."""
    converge.cut_each(withdrawn.dataset_ids)


def _suspend(deed: Deed, servers: list[Server]) -> list[UUID]:
    """Disable servers that nobody answers for any more; the data sets that are to be cut."""
    if not servers:
        return []
    reason = f"Its owner lost their place in the space ({deed.verb})."
    dataset_ids = owning.suspend(servers, reason, deed.now)
    for server in servers:
        ledger.append(
            Verb.SERVER_DISABLE,
            at=deed.now,
            actor=deed.actor,
            space_id=server.space_id,
            subject=server.name,
            after={"server": str(server.id), "owner_id": str(server.owner_id)},
            reason=reason,
        )
    return dataset_ids


def _lock_servers(person_id: UUID, space_id: UUID | None) -> list[Server]:
    rows = Server.objects.select_for_update(no_key=True).filter(owner_id=person_id, state__in=owning.SUSPENDABLE)
    return list((rows.filter(space_id=space_id) if space_id else rows).order_by("id"))


def _may_keep(key: UploadKey, person_id: UUID, role: Role | None) -> bool:
    is_creator = key.dataset.created_by_id == person_id
    return role is not None and authz.RULES[Verb.KEY_ISSUE].admits(role, None, is_creator=is_creator)


def _end(deed: Deed, key: UploadKey) -> bool:
    """End one key in the rows, its data set locked; False when it ended meanwhile."""
    live = UploadKey.objects.filter(id=key.id, status__in=LIVE)
    return bool(live.update(status=KeyStatus.REVOKED, ended_at=deed.now))


def _held_by(person_id: UUID, space_id: UUID | None) -> QuerySet[UploadKey]:
    """Keys issued to the person, and keys that support handed out in place of one of theirs."""
    own = Q(issued_by_id=person_id, is_support_reset=False)
    handed_out = Q(is_support_reset=True, dataset__keys__issued_by_id=person_id, dataset__keys__is_support_reset=False)
    held = UploadKey.objects.filter(own | handed_out, status__in=LIVE).select_related("dataset").distinct()
    return held.filter(dataset__space_id=space_id) if space_id else held
