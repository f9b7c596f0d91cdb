"""Access keys of uploaders. The secret is in no column."""

import uuid

from django.db import models

from strongroom.core.vocabulary import KeyStatus
from strongroom.db.columns import one_of, word
from strongroom.db.models.datasets import Dataset
from strongroom.db.models.people import Person

LIVE = (KeyStatus.ISSUING, KeyStatus.ACTIVE)


class UploadKey(models.Model):
    """A key pair for one pending data set. `principal` is the engine's user, decided before the engine is asked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="keys")
    status = word(KeyStatus, default=KeyStatus.ISSUING)
    principal = models.CharField(max_length=64, unique=True)
    access_key_id = models.CharField(max_length=64, blank=True)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    replaces = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replaced_by")
    is_support_reset = models.BooleanField(default=False)
    reason = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)
    is_removed = models.BooleanField(default=False)  # the engine no longer knows the principal

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset"],
                condition=models.Q(status__in=[status.value for status in LIVE]),
                name="one_live_key_per_dataset",
            ),
            one_of("status", KeyStatus),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=models.Q(status=KeyStatus.ACTIVE.value), name="uploadkey_expiry"
            ),
        ]
