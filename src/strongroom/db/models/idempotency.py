"""What was answered to a request that carried an `Idempotency-Key`. Never holds a secret."""

from django.db import models

from strongroom.db.models.people import Person


class IdempotentReply(models.Model):
    """One answered request; `request_sha256` tells a repetition from a different request under the same key."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)  # null while the first request is under way
    body = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="one_reply_per_key")]
