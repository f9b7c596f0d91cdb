"""What is known of the content of finalized data sets: the digest of every object, and every time it was read again."""

import uuid

from django.db import models

from strongroom.core.vocabulary import CheckState, Damage
from strongroom.db.columns import one_of, word
from strongroom.db.models.datasets import Dataset
from strongroom.db.models.manifests import Manifest
from strongroom.db.models.people import Person


class DigestList(models.Model):
    """The manifest once more, with the SHA-256 of every object; the list lies in the records bucket."""

    manifest = models.OneToOneField(Manifest, on_delete=models.PROTECT, primary_key=True, related_name="digests")
    object_key = models.CharField(max_length=200)
    digests_sha256 = models.CharField(max_length=64)
    bagit_sha256 = models.CharField(max_length=64)
    bagit_bytes = models.BigIntegerField(null=True)  # of what is written from the list; unknown of older ones
    sums_bytes = models.BigIntegerField(null=True)
    file_count = models.BigIntegerField()  # without those objects that only mark a folder
    receipt = models.TextField()
    signature = models.TextField()
    made_at = models.DateTimeField()


class FixityCheck(models.Model):
    """One reading of all that a manifest lists. The first of a manifest completes the digests; it reads only those.

    That one may wait for an object that is damaged; whole checks go on beside it, with the digests that are known.
    It goes on in segments: `objects_done` lines of the manifest are dealt with, `pieces` files of digests are stored.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="fixity_checks")
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="fixity_checks")
    completes_digests = models.BooleanField(default=False)
    asked_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = word(CheckState, default=CheckState.WAITING)
    ended_at = models.DateTimeField(null=True)

    objects_done = models.BigIntegerField(default=0)
    read_count = models.BigIntegerField(default=0)
    read_bytes = models.BigIntegerField(default=0)
    pieces = models.PositiveIntegerField(default=0)
    pieces_sha256 = models.CharField(max_length=64, blank=True)  # of their contents: they lie where they may be altered
    difference_count = models.BigIntegerField(default=0)  # also of those that are too many for a row each

    next_at = models.DateTimeField(null=True)  # when it goes on; null: it has ended
    last_error = models.TextField(blank=True)
    told_at = models.DateTimeField(null=True)  # when letters went out about what was found
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            one_of("state", CheckState),
            models.UniqueConstraint(
                fields=["dataset", "completes_digests"],
                condition=models.Q(ended_at=None),
                name="one_open_check_of_a_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["dataset", "-asked_at"]),
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="fixity_check_next"),
        ]

    @property
    def waits_for_damaged(self) -> bool:
        """Whether all that can be digested is, and the rest has to be put back first."""
        is_through = self.objects_done >= self.manifest.object_count
        return self.completes_digests and self.ended_at is None and is_through and self.difference_count > 0


class FixityDifference(models.Model):
    """An object that was not what the manifest says, in one check. `position`: which line of the manifest, from 0.

    Of a check that completes digests, `sha256` is filled when the object could be read after all.
    """

    check_run = models.ForeignKey(FixityCheck, on_delete=models.CASCADE, related_name="differences")
    position = models.BigIntegerField()
    key = models.TextField()
    damage = word(Damage)
    expected = models.CharField(max_length=80, blank=True)  # `sha256:…` or `md5:…`
    found = models.CharField(max_length=80, blank=True)
    detail = models.TextField(blank=True)
    found_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            one_of("damage", Damage),
            models.UniqueConstraint(fields=["check_run", "position"], name="one_difference_an_object"),
        ]
