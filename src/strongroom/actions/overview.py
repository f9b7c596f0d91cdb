"""What somebody finds when they come in: their spaces, what waits for them, and what ends soon."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from strongroom.actions.deeds import doing
from strongroom.core import authz
from strongroom.core.actor import Actor
from strongroom.core.vocabulary import KeyStatus, MountHealth, Role, ServerState, State, Verb
from strongroom.db.models import Dataset, Grant, Membership, Server, Space, Token, UploadKey

SPACES = 12
ROWS = 10
SOON_DAYS = 14


class Ending(StrEnum):
    """What it is that ends."""

    KEY = "access key"
    GRANT = "access of a server"
    DATASET = "data set"
    TOKEN = "personal access token"


@dataclass(frozen=True, slots=True)
class SpaceSummary:
    """A space, one's role in it (None: as staff), and how much is in it that was not deleted."""

    space: Space
    role: Role | None
    dataset_count: int
    server_count: int


@dataclass(frozen=True, slots=True)
class Ends:
    """Something of a data set (or one's own token, without one) that ends at `at`; a day for what has no hour."""

    what: Ending
    name: str
    at: datetime | date
    dataset_id: UUID | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """Each list holds at most 10 rows, `spaces` 12. `deletions` ask for this person's word; `stuck` is retried.

    `damaged` have files that are not what they were.
    """

    spaces: list[SpaceSummary]
    has_more_spaces: bool
    deletions: list[Dataset]
    damaged: list[Dataset]
    stuck: list[Dataset]
    servers: list[Server]
    pending: list[Dataset]
    ends: list[Ends]

    @property
    def is_anything_waiting(self) -> bool:
        """Whether there is something to do."""
        return bool(self.deletions or self.damaged or self.stuck or self.servers or self.pending)


def show(actor: Actor) -> Overview:
    """What is theirs as a member; what somebody may see only as staff is not among it."""
    with doing(actor, Verb.SPACE_LIST) as deed:
        deed.platform()
        mine = Space.objects.visible_to(actor).filter(memberships__person_id=actor.person_id)
        found = list(mine.order_by("name", "id")[: SPACES + 1])
        return Overview(
            spaces=summaries(actor, found[:SPACES]),
            has_more_spaces=len(found) > SPACES,
            deletions=_deletions(actor),
            damaged=_damaged(actor),
            stuck=_stuck(actor),
            servers=_servers(actor),
            pending=_pending(actor),
            ends=_ends(actor, deed.now),
        )


def summaries(actor: Actor, spaces: Sequence[Space]) -> list[SpaceSummary]:
    """The same spaces with what a list says of each; three questions, however many they are."""
    ids = [space.id for space in spaces]
    members = Membership.objects.filter(person_id=actor.person_id, space_id__in=ids)
    roles = {space_id: Role(role) for space_id, role in members.values_list("space_id", "role")}
    datasets = _counts(Dataset.objects.filter(space_id__in=ids).exclude(state=State.DELETED))
    servers = _counts(Server.objects.filter(space_id__in=ids).exclude(state=ServerState.DELETED))
    return [
        SpaceSummary(each, roles.get(each.id), datasets.get(each.id, 0), servers.get(each.id, 0)) for each in spaces
    ]


def _counts(rows: "QuerySet[Dataset] | QuerySet[Server]") -> dict[UUID, int]:
    return dict(rows.values_list("space_id").annotate(Count("id")).order_by())


def _in_spaces_as(actor: Actor, verb: Verb) -> Q:
    """Data sets of the spaces in which the actor's role alone allows the verb."""
    roles = [role.value for role in authz.RULES[verb].roles]
    held = Membership.objects.filter(person_id=actor.person_id, role__in=roles).values("space_id")
    return Q(space_id__in=held)


def _deletions(actor: Actor) -> list[Dataset]:
    asked = Dataset.objects.visible_to(actor).filter(
        _in_spaces_as(actor, Verb.DATASET_CONFIRM_DELETION), deletion_requested_at__isnull=False, state=State.FINALIZED
    )
    others = asked.exclude(deletion_requested_by_id=actor.person_id).select_related("space", "deletion_requested_by")
    return list(others.order_by("deletion_requested_at")[:ROWS])


def _damaged(actor: Actor) -> list[Dataset]:
    """Whose last reading found objects that are not what they were."""
    mine = _in_spaces_as(actor, Verb.FIXITY_START) | Q(created_by_id=actor.person_id)
    found = Dataset.objects.visible_to(actor).filter(mine, damaged_objects__gt=0)
    return list(found.select_related("space").order_by("id")[:ROWS])


def _stuck(actor: Actor) -> list[Dataset]:
    mine = _in_spaces_as(actor, Verb.DATASET_FINALIZE) | Q(created_by_id=actor.person_id)
    failing = Dataset.objects.visible_to(actor).filter(mine, is_settled=False).exclude(last_error="")
    return list(failing.select_related("space").order_by("step_at", "id")[:ROWS])


def _pending(actor: Actor) -> list[Dataset]:
    """Without a join: the newest of many are then found by their index, and nothing is sorted."""
    mine = Space.objects.visible_to(actor).filter(memberships__person_id=actor.person_id).values("id")
    begun = Dataset.objects.filter(created_by_id=actor.person_id, state=State.PENDING, space_id__in=mine)
    return list(begun.select_related("space").order_by("-created_at")[:ROWS])


def _servers(actor: Actor) -> list[Server]:
    """Their servers that lost access, that their host fails to make or change, or whose mounts do not work."""
    owned = Server.objects.visible_to(actor).filter(owner_id=actor.person_id).select_related("space")
    lost = owned.filter(state__in=[ServerState.LAPSED, ServerState.DISABLED]).order_by("state_at")
    active = owned.filter(state=ServerState.ACTIVE).exclude(mounts=[]).order_by("name")
    stuck = owned.filter(is_settled=False).exclude(last_error="").exclude(state=ServerState.DELETED).order_by("name")
    failing = (server for server in active.iterator(chunk_size=100) if _fails(server))
    return list(
        islice({each.id: each for each in [*lost[:ROWS], *stuck[:ROWS], *islice(failing, ROWS)]}.values(), ROWS)
    )


def _fails(server: Server) -> bool:
    return any(each.get("health", MountHealth.OK) != MountHealth.OK for each in server.mounts)


def _ends(actor: Actor, now: datetime) -> list[Ends]:
    soon = now + timedelta(days=SOON_DAYS)
    mine = _in_spaces_as(actor, Verb.KEY_RENEW) | Q(created_by_id=actor.person_id)
    datasets = Dataset.objects.visible_to(actor).filter(mine)
    found = [
        *_keys(datasets, now, soon),
        *_grants(datasets, now, soon),
        *_needed(datasets, now.date(), soon.date()),
        *_tokens(actor, now, soon),
    ]
    return sorted(found, key=lambda each: each.at.isoformat())[:ROWS]


def _keys(datasets: "QuerySet[Dataset]", now: datetime, soon: datetime) -> Iterable[Ends]:
    live = UploadKey.objects.filter(status=KeyStatus.ACTIVE, expires_at__gt=now, expires_at__lte=soon)
    rows = live.filter(dataset__in=datasets).select_related("dataset").order_by("expires_at")[:ROWS]
    return [Ends(Ending.KEY, key.dataset.name, key.expires_at, key.dataset_id) for key in rows]


def _grants(datasets: "QuerySet[Dataset]", now: datetime, soon: datetime) -> Iterable[Ends]:
    live = Grant.objects.filter(ended_at=None, expires_at__gt=now, expires_at__lte=soon, dataset__in=datasets)
    rows = live.select_related("dataset", "server").order_by("expires_at")[:ROWS]
    return [
        Ends(Ending.GRANT, each.dataset.name, _known(each.expires_at), each.dataset_id, each.server.name)
        for each in rows
    ]


def _needed(datasets: "QuerySet[Dataset]", today: date, soon: date) -> Iterable[Ends]:
    alive = datasets.filter(state__in=[State.PENDING, State.FINALIZED])
    rows = alive.filter(needed_until__gte=today, needed_until__lte=soon).order_by("needed_until")[:ROWS]
    return [Ends(Ending.DATASET, each.name, _known(each.needed_until), each.id) for each in rows]


def _tokens(actor: Actor, now: datetime, soon: datetime) -> Iterable[Ends]:
    live = Token.objects.filter(person_id=actor.person_id, revoked_at=None, expires_at__gt=now, expires_at__lte=soon)
    return [Ends(Ending.TOKEN, token.name, token.expires_at) for token in live.order_by("expires_at")[:ROWS]]


def _known(at: "datetime | date | None") -> "datetime | date":
    assert at is not None  # the rows were asked for by it
    return at
