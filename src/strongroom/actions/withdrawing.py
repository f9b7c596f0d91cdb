"""What somebody still holds when they lose a role: keys, transfers, servers they answer for, logins to others."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db.models import Q, QuerySet

from strongroom import hosts
from strongroom.actions import converge, cutting, joining, ledger, owning, transferring
from strongroom.actions.deeds import Deed
from strongroom.core import authz
from strongroom.core.errors import Unavailable
from strongroom.core.ledger import Json
from strongroom.core.vocabulary import KeyStatus, Power, Role, ServerKind, TransferEnd, Verb
from strongroom.db.models import Dataset, Grant, Membership, Person, Server, Transfer, UploadKey
from strongroom.db.models.keys import LIVE

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was taken away in the rows, the data sets whose policies must now be `cut`, and the logins to end.

    `join_tokens` counts those of the spaces that may have been shown to the person and were not used yet; `logins`
    are created servers, each with the person's account there.
    """

    keys: int
    transfers: int
    servers: int
    join_tokens: int
    dataset_ids: tuple[UUID, ...]
    logins: tuple[tuple[UUID, str], ...]

    def facts(self) -> dict[str, Json]:
        """As it stands in the ledger."""
        return {
            "keys_revoked": self.keys,
            "transfers_ended": self.transfers,
            "servers_disabled": self.servers,
            "join_tokens_ended": self.join_tokens,
        }


def withdraw(deed: Deed, person_id: UUID, *, space_id: UUID | None = None, role: Role | None = None) -> Withdrawn:
    """End the person's live keys and transfers and disable their servers in the rows (of one space, or everywhere).

    With a `role`, what somebody of this role may still hold is kept.
    """
    concerned = _lock_servers(person_id, space_id, role)
    servers = [each for each in concerned if each.owner_id == person_id and not owning.may_own(role)]
    servers = [each for each in servers if each.state in owning.SUSPENDABLE]
    join_tokens = _void_tokens(each for each in concerned if each.join_sha256)
    keys = [key for key in _held_by(person_id, space_id) if not _may_upload(key.dataset, person_id, role)]
    transfers = [each for each in _run_by(person_id, space_id) if not _may_upload(each.dataset, person_id, role)]
    # Every data set concerned is locked here and in one order; what follows finds them locked.
    granted = Grant.objects.filter(server__in=servers, ended_at=None).values_list("dataset_id", flat=True)
    held = [*(key.dataset_id for key in keys), *(each.dataset_id for each in transfers)]
    datasets = {row.id: row for row in cutting.lock_datasets([*granted, *held])}
    ended = [key for key in keys if _end(deed, key)]
    stopped = transferring.end(transfers, TransferEnd.WITHDRAWN, now=deed.now, actor=deed.actor)
    concerned_ids = {*(key.dataset_id for key in ended), *(each.dataset_id for each in stopped)}
    for dataset_id in concerned_ids:
        converge.request(datasets[dataset_id])
    cut = concerned_ids.union(_suspend(deed, servers))
    logins = () if owning.may_own(role) else _logins(person_id, space_id)
    return Withdrawn(len(ended), len(stopped), len(servers), join_tokens, tuple(sorted(cut)), logins)


def cut(withdrawn: Withdrawn) -> None:
    """After the transaction: return when nothing of it works any more. Raises Unavailable as `converge.cut`."""
    try:
        converge.cut_each(withdrawn.dataset_ids)
    finally:
        _end_logins(withdrawn.logins)


def _logins(person_id: UUID, space_id: UUID | None) -> tuple[tuple[UUID, str], ...]:
    """The servers with a host of ours on which the person may be logged in."""
    account = Person.objects.values_list("account", flat=True).get(id=person_id)
    if account is None:  # no server was ever told of them
        return ()
    rows = Server.objects.filter(kind=ServerKind.CREATED, power=Power.RUNNING)
    rows = rows.filter(space_id__in=_spaces(person_id, space_id))
    return tuple((server_id, account) for server_id in rows.order_by("id").values_list("id", flat=True))


def _end_logins(logins: tuple[tuple[UUID, str], ...]) -> None:
    """At once where a host of ours can; where it fails, as on enrolled servers, the agent does it when next heard."""
    host = hosts.current()
    if host is None:
        return
    for server_id, account in logins:
        try:
            host.end_sessions(server_id, account)
        except Unavailable as error:
            log.warning("logins_not_ended", server=str(server_id), account=account, error=str(error))


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


def _lock_servers(person_id: UUID, space_id: UUID | None, role: Role | None) -> list[Server]:
    """The servers that the person owns, and those for which they may have been shown a join token; locked by id."""
    concerned = Q(pk__in=[])
    if not owning.may_own(role):
        concerned |= Q(owner_id=person_id, state__in=owning.SUSPENDABLE)
    if not authz.RULES[Verb.SERVER_REJOIN].admits(role, None, is_creator=False):
        concerned |= Q(space_id__in=_spaces(person_id, space_id), kind=ServerKind.ENROLLED) & ~Q(join_sha256="")
    rows = Server.objects.select_for_update(no_key=True).filter(concerned)
    return list((rows.filter(space_id=space_id) if space_id else rows).order_by("id"))


def _spaces(person_id: UUID, space_id: UUID | None) -> list[UUID]:
    """The spaces in which the person loses something."""
    if space_id is not None:
        return [space_id]
    return list(Membership.objects.filter(person_id=person_id).values_list("space_id", flat=True))


def _void_tokens(servers: Iterable[Server]) -> int:
    """End join tokens: with one that they kept, whoever left could take the place of a server. How many."""
    count = 0
    for server in servers:
        joining.void(server)
        server.save(update_fields=["join_sha256", "join_expires_at"])
        count += 1
    return count


def _may_upload(dataset: Dataset, person_id: UUID, role: Role | None) -> bool:
    """Whether somebody of this role may hold a key of the data set, or run a transfer."""
    is_creator = dataset.created_by_id == person_id
    return role is not None and authz.RULES[Verb.KEY_ISSUE].admits(role, None, is_creator=is_creator)


def _end(deed: Deed, key: UploadKey) -> bool:
    """End one key in the rows, its data set locked; False when it ended meanwhile."""
    live = UploadKey.objects.filter(id=key.id, status__in=LIVE)
    return bool(live.update(status=KeyStatus.REVOKED, ended_at=deed.now))


def _run_by(person_id: UUID, space_id: UUID | None) -> QuerySet[Transfer]:
    """Transfers that the person opened and that have not ended."""
    live = Transfer.objects.filter(person_id=person_id, ended_at=None).select_related("dataset")
    return live.filter(dataset__space_id=space_id) if space_id else live


def _held_by(person_id: UUID, space_id: UUID | None) -> QuerySet[UploadKey]:
    """Keys issued to the person, and keys that support handed out in place of one of theirs."""
    own = Q(issued_by_id=person_id, is_support_reset=False)
    handed_out = Q(is_support_reset=True, dataset__keys__issued_by_id=person_id, dataset__keys__is_support_reset=False)
    held = UploadKey.objects.filter(own | handed_out, status__in=LIVE).select_related("dataset").distinct()
    return held.filter(dataset__space_id=space_id) if space_id else held
