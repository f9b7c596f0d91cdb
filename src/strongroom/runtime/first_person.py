"""The first administrator, and the way back in for whoever owns the home."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from strongroom.core import credentials
from strongroom.core.errors import NotFound
from strongroom.core.vocabulary import StaffRole
from strongroom.db.models import Person, SignInCode


def ensure(email: str, *, lifetime: timedelta) -> str | None:
    """Make the first administrator when there is nobody yet: a one-time sign-in code; None when there is somebody."""
    with transaction.atomic():
        if Person.objects.exists():
            return None
        person = Person(email=email, name="", staff_role=StaffRole.ADMINISTRATOR, created_at=timezone.now())
        person.set_unusable_password()
        person.save()
        return _issue(person, lifetime)


def issue_code(email: str, *, lifetime: timedelta) -> str:
    """A new one-time code for a person who is there; older codes end. Raises: NotFound."""
    with transaction.atomic():
        person = Person.objects.select_for_update().filter(email__iexact=email, is_active=True).first()
        if person is None:
            raise NotFound(f"There is no active person with the address {email}.")
        return _issue(person, lifetime)


def _issue(person: Person, lifetime: timedelta) -> str:
    now = timezone.now()
    person.sign_in_codes.filter(used_at=None).delete()
    code = credentials.make_sign_in_code(secrets.token_bytes)
    SignInCode.objects.create(
        person=person, code_sha256=credentials.digest(code), created_at=now, expires_at=now + lifetime
    )
    return code
