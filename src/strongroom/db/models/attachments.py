"""Documents attached to a data set."""

import uuid

from django.db import models

from strongroom.core.vocabulary import AttachmentKind
from strongroom.db.columns import one_of, word
from strongroom.db.models.datasets import Dataset
from strongroom.db.models.people import Person


class Attachment(models.Model):
    """One document. `object_key` is made from the id; `filename` is for display and download only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="attachments")
    kind = word(AttachmentKind)
    title = models.CharField(max_length=200)
    filename = models.CharField(max_length=255)
    object_key = models.CharField(max_length=200)
    content_type = models.CharField(max_length=200)
    size_bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    is_stored = models.BooleanField(default=False)  # false while the bytes are on their way
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    superseded_by = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="supersedes")
    superseded_reason = models.TextField(blank=True)

    class Meta:
        constraints = [one_of("kind", AttachmentKind)]
        indexes = [models.Index(fields=["dataset", "added_at"])]
