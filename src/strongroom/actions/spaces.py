"""Spaces: the containers people work in."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from strongroom.actions import proving, terms
from strongroom.actions.deeds import doing
from strongroom.actions.paging import Page, page
from strongroom.core.actor import Actor
from strongroom.core.errors import Conflict, Forbidden
from strongroom.core.ledger import Json
from strongroom.core.names import clean_text
from strongroom.core.sentences import say
from strongroom.core.vocabulary import RiskLevel, Role, ServerState, State, Verb
from strongroom.db.models import Dataset, Membership, Server, Space

_TEXTS = {"name": 200, "charge_code": 100, "contact": 200}  # with the characters each may have


@dataclass(frozen=True, slots=True)
class SpaceView:
    """A space as somebody sees it: their role there (None: staff), and how much there is in it."""

    space: Space
    role: Role | None
    member_count: int
    dataset_count: int
    server_count: int


def create(actor: Actor, *, name: str, risk_level: RiskLevel, charge_code: str = "", contact: str = "") -> SpaceView:
    """A new space, owned by the actor. Names need not be unique. Raises: Invalid, Forbidden."""
    with doing(actor, Verb.SPACE_CREATE) as deed:
        deed.platform()
        _refuse_narrow(actor)
        proving.need_for(risk_level, actor)
        terms.need(risk_level, actor)
        texts = {"name": name, "charge_code": charge_code, "contact": contact}
        space = Space.objects.create(
            **{field: _clean(field, value) for field, value in texts.items()},
            risk_level=risk_level,
            created_at=deed.now,
            created_by_id=actor.person_id,
            modified_at=deed.now,
            modified_by_id=actor.person_id,
        )
        Membership.objects.create(
            space=space,
            person_id=actor.person_id,
            role=Role.OWNER,
            created_at=deed.now,
            created_by_id=actor.person_id,
        )
        deed.space_id, deed.subject = space.id, space.name
        deed.record(after=_facts(space))
        return SpaceView(space, Role.OWNER, member_count=1, dataset_count=0, server_count=0)


def list_(actor: Actor, *, search: str = "", cursor: str | None = None, limit: int = 100) -> Page[Space]:
    """The spaces one is a member of (staff: all), by name; `search` is part of a name or a charge code."""
    with doing(actor, Verb.SPACE_LIST) as deed:
        deed.platform()
        spaces = Space.objects.visible_to(actor)
        if text := clean_text("search", search, max_length=200, required=False):
            spaces = spaces.filter(Q(name__icontains=text) | Q(charge_code__icontains=text))
        return page(spaces, by=["name", "id"], cursor=cursor, limit=limit)


def show(actor: Actor, space_id: UUID) -> SpaceView:
    """One space. Raises: NotFound."""
    with doing(actor, Verb.SPACE_SHOW) as deed:
        return _view(deed.space(space_id), deed.role)


def edit(actor: Actor, space_id: UUID, *, changes: Mapping[str, object]) -> SpaceView:
    """Change name, risk level, charge code or contact.

    Raises: Conflict when the risk level would become low while there are data sets; Invalid.
    """
    with doing(actor, Verb.SPACE_EDIT, subject=str(space_id)) as deed:
        space = deed.space(space_id)
        before = _facts(space)
        for field in _TEXTS.keys() & changes.keys():
            setattr(space, field, _clean(field, str(changes[field])))
        if "risk_level" in changes:
            space.risk_level = RiskLevel(str(changes["risk_level"]))
            proving.need_for(space.risk_level, actor)
            terms.need(space.risk_level, actor)
            _refuse_low_with_datasets(space)
        space.modified_at, space.modified_by_id = deed.now, actor.person_id
        space.save()
        deed.subject = space.name
        deed.record(before=before, after=_facts(space))
        return _view(space, deed.role)


def _view(space: Space, role: Role | None) -> SpaceView:
    datasets = Dataset.objects.filter(space=space).exclude(state=State.DELETED)
    servers = Server.objects.filter(space=space).exclude(state=ServerState.DELETED)
    return SpaceView(
        space,
        role,
        member_count=space.memberships.count(),
        dataset_count=datasets.count(),
        server_count=servers.count(),
    )


def _clean(field: str, value: str) -> str:
    return clean_text(field, value, max_length=_TEXTS[field], required=field == "name")


def _refuse_narrow(actor: Actor) -> None:
    if actor.space_id is not None:
        raise Forbidden(
            say("This token is for one space only and cannot create another."),
            code="scope",
            way_out=say("Use a token that is not narrowed to a space."),
        )


def _refuse_low_with_datasets(space: Space) -> None:
    if space.risk_level != RiskLevel.LOW:
        return
    count = Dataset.objects.filter(space=space).exclude(state=State.DELETED).count()
    if count:
        raise Conflict(
            say(
                "The risk level of “{space}” cannot be low while it has data sets ({count}).",
                space=space.name,
                count=count,
            ),
            code="has-data-sets",
            way_out=say("Keep it moderate or high, or delete the data sets first."),
        )


def _facts(space: Space) -> dict[str, Json]:
    return {
        "id": str(space.id),
        "name": space.name,
        "risk_level": str(space.risk_level),
        "charge_code": space.charge_code,
        "contact": space.contact,
    }
