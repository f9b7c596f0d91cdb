"""What was in a data set when it was frozen, and what was found to have come too late."""

import uuid

from django.db import models

from strongroom.db.models.datasets import Dataset


class Manifest(models.Model):
    """The list itself lies in the engine's records bucket at `object_key`; here are its root and its signed receipt."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="manifests")
    revision = models.PositiveIntegerField()
    object_key = models.CharField(max_length=200)
    root_sha256 = models.CharField(max_length=64)
    object_count = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    receipt = models.TextField()
    signature = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "revision"], name="one_manifest_per_revision")]


class LateObject(models.Model):
    """An object that was found in a finalized data set but not in its manifest, and where it lies now."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="late_objects")
    key = models.TextField()
    size_bytes = models.BigIntegerField()
    etag = models.CharField(max_length=100)
    modified_at = models.DateTimeField()
    found_at = models.DateTimeField()
    is_altered = models.BooleanField(default=False)  # the key is in the manifest, with other content
    quarantine_key = models.CharField(max_length=200, blank=True)
