"""Browsers that people signed in with, terminals that wait for one, and which terms somebody accepted."""

import uuid

from django.db import models

from strongroom.db.models.people import Person


class BrowserSession(models.Model):
    """One sign-in of a browser. The cookie names a Django session, which names this row: its id never leaves us.

    `entered_at` is empty while only the password was right and the second factor is still asked for.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="browser_sessions")
    address = models.CharField(max_length=64)
    agent = models.CharField(max_length=200)  # what the browser calls itself
    created_at = models.DateTimeField()
    entered_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    mfa_proved_at = models.DateTimeField(null=True)  # when the second factor was last proved in this browser
    # Who let them in, where it was an identity provider: there they can prove themselves again.
    identity = models.ForeignKey("Identity", null=True, on_delete=models.SET_NULL, related_name="+")


class DeviceLogin(models.Model):
    """A terminal that waits for somebody to let it in. SHA-256 of both of its codes is stored. Source: RFC 8628."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device_code_sha256 = models.CharField(max_length=64, unique=True)
    user_code_sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100)  # what its token will be called
    address = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    person = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="+")  # who decided
    approved_at = models.DateTimeField(null=True)
    denied_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)


class TermsAcceptance(models.Model):
    """Somebody accepted this version of the terms for sensitive data."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="terms")
    version = models.CharField(max_length=12)
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "version"], name="terms_accepted_once")]
