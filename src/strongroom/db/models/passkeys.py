"""Passkeys: public keys of people's devices. What could be stolen here opens nothing."""

import uuid

from django.db import models

from strongroom.db.models.people import Person


class Passkey(models.Model):
    """One credential of WebAuthn. Binary values are base64url; `sign_count` stays 0 where a device does not count."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=100)
    credential_id = models.CharField(max_length=1400, unique=True)  # at most 1023 bytes
    credential = models.TextField()  # the attested credential data: id and public key
    sign_count = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
