"""Transfers into pending data sets, and the digests that they reported. No credential is in any column."""

import uuid

from django.db import models

from strongroom.core.vocabulary import Direction, TransferEnd
from strongroom.db.columns import one_of, word
from strongroom.db.models.datasets import Dataset
from strongroom.db.models.people import Person


class Transfer(models.Model):
    """One run of a mover. `session` is what the policy names while it runs; its last words are its summary."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="transfers")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    direction = word(Direction)
    label = models.CharField(max_length=200, blank=True)
    session = models.CharField(max_length=64, unique=True)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    end = word(TransferEnd, blank=True, default="")

    # The summary, as whoever closed it told it
    file_count = models.BigIntegerField(null=True)
    size_bytes = models.BigIntegerField(null=True)
    problem_count = models.BigIntegerField(null=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [one_of("direction", Direction)]
        indexes = [
            models.Index(fields=["dataset", "opened_at", "id"]),
            models.Index(fields=["expires_at"], condition=models.Q(ended_at=None), name="transfer_expiry"),
            models.Index(fields=["person"], condition=models.Q(ended_at=None), name="transfer_person"),
        ]


class ObjectDigest(models.Model):
    """The SHA-256 of an object as whoever sent it computed it; it holds for this size and ETag alone."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="digests", db_index=False)
    key = models.TextField()  # in the order of its bytes on PostgreSQL, too: migration 0014
    size_bytes = models.BigIntegerField()
    etag = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="+", db_index=False)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "key"], name="one_digest_per_key")]
