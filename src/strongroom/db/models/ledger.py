"""The audit ledger: append-only (triggers in the migrations) and hash-chained (`core.ledger`)."""

from django.db import models

from strongroom.core.vocabulary import Outcome
from strongroom.db.columns import one_of, word


class Event(models.Model):
    """A fact that happened. Ids are stored as plain values: the ledger outlives what it speaks of."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    verb = models.CharField(max_length=60)
    outcome = word(Outcome)
    actor_id = models.UUIDField(null=True)
    actor_email = models.CharField(max_length=254, blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    space_id = models.UUIDField(null=True)
    dataset_id = models.UUIDField(null=True)
    subject = models.CharField(max_length=400, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [one_of("outcome", Outcome)]
        indexes = [
            models.Index(fields=["space_id", "sequence"]),
            models.Index(fields=["dataset_id", "sequence"]),
            models.Index(fields=["actor_id", "sequence"]),
            models.Index(fields=["verb", "sequence"]),
            models.Index(fields=["outcome", "sequence"]),
            models.Index(fields=["at"]),  # turns a time into a bound on the sequence
        ]


class LedgerHead(models.Model):
    """The one row that says where the chain ends; locked while an event is appended."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)
