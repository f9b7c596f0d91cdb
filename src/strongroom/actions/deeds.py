"""How every action begins and ends: find = authorize, one transaction, one entry in the ledger.

    with doing(actor, Verb.DATASET_FINALIZE) as deed:
        dataset = deed.dataset(dataset_id)        # loads, locks, hides (404), refuses (403) or says not now (409)
        ...                                       # rows
        deed.record(before=..., after=...)        # the ledger, in the same transaction

A refusal of a write rolls everything back and is then recorded by itself. Rows are locked without their keys
(`no_key`): otherwise an entry of the ledger that names a row, and a deed that holds the row and waits for the ledger,
would wait for each other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from strongroom.actions import ledger, proving
from strongroom.core import authz, lifecycle, server_lifecycle
from strongroom.core.actor import Actor
from strongroom.core.errors import Forbidden, NotFound, Refusal
from strongroom.core.ledger import Json
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Kind, Outcome, RiskLevel, Role, ServerKind, ServerState, StaffRole, State, Verb
from strongroom.db.models import Dataset, Membership, Person, Server, Space


class Deed:
    """One verb by one actor: knows what it is about, and what was already recorded."""

    def __init__(self, actor: Actor, verb: Verb) -> None:
        self.actor = actor
        self.verb = verb
        self.now: datetime = timezone.now()
        self.is_write = authz.RULES[verb].is_write
        self.role: Role | None = None
        self.is_creator = False
        self.space_id: UUID | None = None
        self.dataset_id: UUID | None = None
        self.subject = ""

    # Find = authorize

    def platform(self) -> None:
        """Authorize a deed that is about no space: people, tokens, the system."""
        self._check(role=None, is_creator=False)
        if self.actor.space_id is not None and not authz.RULES[self.verb].anyone:
            raise Forbidden(
                say("This token is for one space only, and this is not about that space."),
                code="scope",
                way_out=say("Use a token that is not narrowed to a space."),
            )

    def space(self, space_id: UUID) -> Space:
        """The space, locked when this is a write. Raises NotFound, Forbidden."""
        rows = Space.objects.visible_to(self.actor)
        space = (
            (rows.select_for_update(of=("self",), no_key=True) if self.is_write else rows).filter(id=space_id).first()
        )
        if space is None:
            raise NotFound(
                say("There is no space {space_id} that you may see.", space_id=space_id),
                way_out=say("See `strongroom space list`."),
            )
        self.space_id, self.subject = space.id, self.subject or space.name
        self.role = self._role_in(space.id)
        self._check(role=self.role, is_creator=False)
        proving.need_for(RiskLevel(space.risk_level), self.actor)
        return space

    def dataset(self, dataset_id: UUID) -> Dataset:
        """The data set, locked when this is a write. Raises NotFound, Forbidden, Conflict."""
        dataset = self.dataset_in_any_state(dataset_id)
        lifecycle.check(self.verb, kind=Kind(dataset.kind), state=State(dataset.state), name=dataset.name)
        return dataset

    def dataset_in_any_state(self, dataset_id: UUID) -> Dataset:
        """As `dataset`, without asking whether the verb fits the state."""
        rows = Dataset.objects.visible_to(self.actor)
        rows = rows.select_for_update(of=("self",), no_key=True) if self.is_write else rows.select_related("space")
        dataset = rows.filter(id=dataset_id).first()
        if dataset is None:
            raise NotFound(
                say("There is no data set {dataset_id} that you may see.", dataset_id=dataset_id),
                way_out=say("See `strongroom dataset list`."),
            )
        self.space_id, self.dataset_id, self.subject = dataset.space_id, dataset.id, dataset.name
        self.role = self._role_in(dataset.space_id)
        self.is_creator = dataset.created_by_id == self.actor.person_id
        self._check(role=self.role, is_creator=self.is_creator)
        self._need_factor(dataset)
        return dataset

    def server(self, server_id: UUID) -> Server:
        """The server, locked when this is a write. Raises NotFound, Forbidden, Conflict."""
        rows = Server.objects.visible_to(self.actor)
        rows = rows.select_for_update(of=("self",), no_key=True) if self.is_write else rows.select_related("space")
        server = rows.filter(id=server_id).first()
        if server is None:
            raise NotFound(
                say("There is no server {server_id} that you may see.", server_id=server_id),
                way_out=say("See `strongroom server list`."),
            )
        self.space_id, self.subject = server.space_id, server.name
        self.role = self._role_in(server.space_id)
        self._check(role=self.role, is_creator=False)
        self._need_factor(server)
        kind, state = ServerKind(server.kind), ServerState(server.state)
        server_lifecycle.check(self.verb, kind=kind, state=state, name=server.name)
        return server

    def need_scope(self) -> None:
        """For what anybody may do about themselves: only the credential can be too narrow. Raises Forbidden."""
        scope = authz.RULES[self.verb].scope
        if scope not in self.actor.scopes:
            raise Forbidden(
                say("This token lacks the scope {scope}.", scope=scope.value),
                code="scope",
                way_out=say("Create a token with the scope {scope}.", scope=scope.value),
            )

    def authorize_again(self) -> None:
        """After the engine's work: are they still who they were? Whoever is taking a role away is waited for.

        Raises: Forbidden.
        """
        held = Person.objects.select_for_update(no_key=True).filter(id=self.actor.person_id, is_active=True)
        person = held.only("id", "staff_role").order_by().first()
        if person is None:
            raise Forbidden(
                say("{person} was disabled.", person=self.actor.email),
                code="disabled",
                way_out=say("Ask an administrator of the platform."),
            )
        self.actor = replace(self.actor, staff_role=StaffRole(person.staff_role) if person.staff_role else None)
        memberships = Membership.objects.select_for_update(of=("self",), no_key=True).filter(person=person)
        role = memberships.filter(space__datasets=self.dataset_id).values_list("role", flat=True).first()
        self._check(role=Role(role) if role else None, is_creator=self.is_creator)

    @property
    def is_by_staff(self) -> bool:
        """Whether only the actor's staff role allows this, not their place in the space."""
        return not authz.RULES[self.verb].admits(self.role, None, is_creator=self.is_creator)

    def _role_in(self, space_id: UUID) -> Role | None:
        found = Membership.objects.filter(space_id=space_id, person_id=self.actor.person_id)
        role = found.values_list("role", flat=True).first()
        return Role(role) if role else None

    def _check(self, *, role: Role | None, is_creator: bool) -> None:
        authz.check(
            self.verb,
            role=role,
            staff_role=self.actor.staff_role,
            is_creator=is_creator,
            scopes=self.actor.scopes,
        )
        if authz.RULES[self.verb].needs_proof and self.actor.session_id is not None:
            proving.need(self.actor, self.now)

    def _need_factor(self, row: Dataset | Server) -> None:
        if proving.is_unproved(self.actor):
            proving.need_for(RiskLevel(row.space.risk_level), self.actor)

    # The ledger

    def record(
        self,
        *,
        before: Mapping[str, Json] | None = None,
        after: Mapping[str, Json] | None = None,
        reason: str = "",
        outcome: Outcome = Outcome.DONE,
    ) -> None:
        """Append this deed to the ledger, inside the transaction that is open."""
        ledger.append(
            self.verb,
            at=self.now,
            actor=self.actor,
            outcome=outcome,
            space_id=self.space_id,
            dataset_id=self.dataset_id,
            subject=self.subject,
            before=before,
            after=after,
            reason=reason,
        )


@contextmanager
def doing(actor: Actor, verb: Verb, *, subject: str = "") -> Iterator[Deed]:
    """Open a deed; a write gets a transaction, and its refusal an entry of its own in the ledger."""
    deed = Deed(actor, verb)
    deed.subject = subject
    try:
        with transaction.atomic() if deed.is_write else nullcontext():
            yield deed
    except Refusal as refusal:
        if deed.is_write:
            _record_refusal(deed, refusal)
        raise


@contextmanager
def between(deed: Deed) -> Iterator[None]:
    """What a deed asks of the engine between two transactions: a refusal there has its entry in the ledger too."""
    try:
        yield
    except Refusal as refusal:
        _record_refusal(deed, refusal)
        raise


def _record_refusal(deed: Deed, refusal: Refusal) -> None:
    # What was asked may stand in the sentence, and may hold what no database stores as text.
    said = f"{refusal.code}: {refusal}".encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    with transaction.atomic():
        deed.record(outcome=Outcome.REFUSED, reason=said)
