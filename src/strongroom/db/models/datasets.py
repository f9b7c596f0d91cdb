"""Data sets: what each is, what it should be in the engine, and how far the engine has followed."""

import uuid
from typing import TYPE_CHECKING

from django.db import models

from strongroom.core.actor import Actor
from strongroom.core.vocabulary import Kind, State
from strongroom.db.columns import one_of, word
from strongroom.db.models.people import Person
from strongroom.db.models.spaces import Space

if TYPE_CHECKING:
    from django.db.models import QuerySet


class DatasetQuerySet(models.QuerySet["Dataset"]):
    """Data sets as somebody may see them, and as the worker must."""

    def visible_to(self, actor: Actor) -> "QuerySet[Dataset]":
        """The data sets of the spaces the actor may see."""
        seen = self if actor.staff_role else self.filter(space__memberships__person_id=actor.person_id)
        return seen.filter(space_id=actor.space_id) if actor.space_id else seen

    def unsettled(self) -> "QuerySet[Dataset]":
        """Where the engine has not been seen to obey the rows yet."""
        return self.filter(is_settled=False)


class Dataset(models.Model):
    """Files in one bucket of its own, plus what is known about them.

    `revision` counts what should be, `applied_revision` what the engine was seen to obey; `is_settled` is false
    while anything is left to do. The policy in force carries the revision it stands for as its generation.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="datasets")
    kind = word(Kind)
    was_derivative = models.BooleanField(default=False)
    repository = models.CharField(max_length=63, unique=True)
    state = word(State, default=State.PENDING)

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    data_classifications = models.JSONField(default=list)
    data_format = models.CharField(max_length=200, blank=True)
    external_source = models.TextField(blank=True)
    owner_contact = models.CharField(max_length=200, blank=True)
    needed_until = models.DateField(null=True)

    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    modified_at = models.DateTimeField()
    modified_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    finalized_at = models.DateTimeField(null=True)
    finalized_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")

    # Finalize: what was asked, and how far it is
    locked_until = models.DateTimeField(null=True)
    step = models.CharField(max_length=40, blank=True)
    step_at = models.DateTimeField(null=True)  # when the step began
    progress_objects = models.BigIntegerField(default=0)
    object_count = models.BigIntegerField(null=True)
    size_bytes = models.BigIntegerField(null=True)
    is_frozen = models.BooleanField(default=False)  # the engine refuses every write to the bucket
    write_mark = models.TextField(blank=True)  # what was on its way when it was frozen; the engine reads it
    recheck_at = models.DateTimeField(null=True)  # when the second pass for late objects is due
    fixity_due_at = models.DateTimeField(null=True)  # when all of it is to be read again
    damaged_objects = models.BigIntegerField(default=0)  # how many were not what the manifest says when last read

    # End of life
    deletion_requested_at = models.DateTimeField(null=True)
    deletion_requested_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    deletion_reason = models.TextField(blank=True)
    deletion_confirmed_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    deleted_at = models.DateTimeField(null=True)

    # Converge
    revision = models.PositiveIntegerField(default=1)
    applied_revision = models.PositiveIntegerField(default=0)
    is_settled = models.BooleanField(default=False)
    next_try_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    # What it held when it was last counted, for those whose contents can still change
    measured_at = models.DateTimeField(null=True)
    measured_objects = models.BigIntegerField(null=True)
    measured_bytes = models.BigIntegerField(null=True)
    measure_at = models.DateTimeField(null=True)  # when it is due again; null: it never was counted

    policy_checked_at = models.DateTimeField(null=True)  # when the policy in force was last compared with the rows

    objects = DatasetQuerySet.as_manager()

    class Meta:
        constraints = [one_of("kind", Kind), one_of("state", State)]
        indexes = [
            models.Index(fields=["space", "name", "id"]),
            models.Index(fields=["name", "id"]),
            models.Index(fields=["created_by", "state", "created_at"]),
            models.Index(
                fields=["needed_until"], condition=models.Q(needed_until__isnull=False), name="dataset_needed"
            ),
            models.Index(
                fields=["deletion_requested_at"],
                condition=models.Q(deletion_requested_at__isnull=False),
                name="dataset_deletion",
            ),
            models.Index(fields=["next_try_at"], condition=models.Q(is_settled=False), name="dataset_unsettled"),
            models.Index(fields=["state", "measure_at"], name="dataset_measure"),
            models.Index(fields=["recheck_at"], condition=models.Q(recheck_at__isnull=False), name="dataset_recheck"),
            models.Index(
                fields=["fixity_due_at"], condition=models.Q(fixity_due_at__isnull=False), name="dataset_fixity_due"
            ),
            models.Index(fields=["id"], condition=models.Q(damaged_objects__gt=0), name="dataset_damaged"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.repository})"

    @property
    def is_changeable(self) -> bool:
        """Whether what it holds can change."""
        return self.state == State.PENDING or (self.state == State.FINALIZED and self.kind == Kind.DERIVATIVE)

    @property
    def held_objects(self) -> int | None:
        """How many objects it holds, as was last counted."""
        return self.measured_objects if self.is_changeable else self.object_count

    @property
    def held_bytes(self) -> int | None:
        """How much it holds, as was last counted."""
        return self.measured_bytes if self.is_changeable else self.size_bytes


class DatasetSize(models.Model):
    """What a data set held on one day (UTC), as it was last counted that day."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="sizes")
    day = models.DateField()
    object_count = models.BigIntegerField()
    size_bytes = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "day"], name="dataset_size_once_a_day")]


class DatasetSource(models.Model):
    """A data set of the same space that a derivative names as its source."""

    derivative = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="source_links")
    source = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="derivative_links")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["derivative", "source"], name="source_named_once")]


class DatasetChange(models.Model):
    """An edit of the metadata: one row per field, so that the history of a field can be read."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="changes")
    field = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
