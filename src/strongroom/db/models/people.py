"""People, their personal access tokens and one-time sign-in codes. Secrets are only ever stored hashed."""

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from strongroom.core.vocabulary import StaffRole
from strongroom.db.columns import one_of, word


class PersonManager(BaseUserManager["Person"]):
    """Finds people by e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """Somebody who can act. `email` is kept in lower case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    staff_role = word(StaffRole, null=True, blank=True)
    # The mapping of a group that gave the staff role; none where an administrator did.
    staff_mapping = models.ForeignKey("GroupMapping", null=True, on_delete=models.PROTECT, related_name="staff")
    account = models.CharField(max_length=32, unique=True, null=True)  # the local user on servers, once they log in
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")

    USERNAME_FIELD = "email"
    objects = PersonManager()

    class Meta:
        constraints = [one_of("staff_role", StaffRole)]

    def __str__(self) -> str:
        return self.email


class SignInCode(models.Model):
    """A one-time code that can be traded for a token. SHA-256 of it is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="sign_in_codes")
    code_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Token(models.Model):
    """A personal access token. `secret_sha256` is over a 256-bit random secret, so no salt is needed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    space = models.ForeignKey("Space", null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    mfa_proved_at = models.DateTimeField(null=True)  # when its bearer last proved the second factor
