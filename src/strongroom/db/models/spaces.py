"""Spaces and who belongs to them."""

import uuid
from typing import TYPE_CHECKING

from django.db import models

from strongroom.core.actor import Actor
from strongroom.core.vocabulary import RiskLevel, Role
from strongroom.db.columns import one_of, word
from strongroom.db.models.people import Person

if TYPE_CHECKING:
    from django.db.models import QuerySet


class SpaceQuerySet(models.QuerySet["Space"]):
    """Spaces as somebody may see them."""

    def visible_to(self, actor: Actor) -> "QuerySet[Space]":
        """The spaces the actor is a member of; staff see all. A token may narrow it to one."""
        seen = self if actor.staff_role else self.filter(memberships__person_id=actor.person_id)
        return seen.filter(id=actor.space_id) if actor.space_id else seen


class Space(models.Model):
    """The container people work in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    risk_level = word(RiskLevel)
    charge_code = models.CharField(max_length=100, blank=True)
    contact = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    modified_at = models.DateTimeField()
    modified_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    objects = SpaceQuerySet.as_manager()

    class Meta:
        constraints = [one_of("risk_level", RiskLevel)]
        indexes = [models.Index(fields=["name", "id"])]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """What a person is in a space; one role each."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    role = word(Role)
    # The mapping of a group that gave it, and takes it away again; none where a person did.
    mapping = models.ForeignKey("GroupMapping", null=True, on_delete=models.PROTECT, related_name="memberships")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["space", "person"], name="one_role_per_member"),
            one_of("role", Role),
        ]
