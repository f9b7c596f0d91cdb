"""Who people are at identity providers, and what the groups there are mapped to."""

import uuid

from django.db import models
from django.db.models import Q

from strongroom.core.vocabulary import IdentityKind, Role, StaffRole
from strongroom.db.columns import one_of, word
from strongroom.db.models.people import Person


class Identity(models.Model):
    """A person as one provider knows them. `groups` is what it said at the last sign-in; rows are never taken away."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="identities")
    kind = word(IdentityKind)
    issuer = models.CharField(max_length=400)
    subject = models.CharField(max_length=400)
    email = models.CharField(max_length=254)  # what the provider said last, verified or not
    groups = models.JSONField(default=list)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    lapsed_at = models.DateTimeField(null=True)  # when what its groups gave ended, for want of a new sign-in

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "issuer", "subject"], name="one_person_per_identity"),
            one_of("kind", IdentityKind),
        ]


_TO_SPACE = Q(space__isnull=False, role__isnull=False, staff_role__isnull=True, outer="")
_TO_STAFF = Q(space__isnull=True, role__isnull=True, staff_role__isnull=False, outer="")
_TO_GROUP = Q(space__isnull=True, role__isnull=True, staff_role__isnull=True) & ~Q(outer="")


class GroupMapping(models.Model):
    """What a group of a provider is good for: a role in a space, a staff role, or to lie within another group."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = word(IdentityKind)
    group = models.CharField(max_length=400)
    space = models.ForeignKey("Space", null=True, on_delete=models.PROTECT, related_name="group_mappings")
    role = word(Role, null=True)
    staff_role = word(StaffRole, null=True)
    outer = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "group", "space"], name="one_role_per_group_and_space"),
            models.UniqueConstraint(
                fields=["kind", "group"], condition=Q(staff_role__isnull=False), name="one_staff_role_per_group"
            ),
            models.UniqueConstraint(fields=["kind", "group", "outer"], condition=~Q(outer=""), name="nested_once"),
            models.CheckConstraint(condition=_TO_SPACE | _TO_STAFF | _TO_GROUP, name="mapped_to_one_thing"),
            one_of("kind", IdentityKind),
            one_of("role", Role),
            one_of("staff_role", StaffRole),
        ]
