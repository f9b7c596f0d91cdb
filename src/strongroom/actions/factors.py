"""The rows of second factors, allauth's but for passkeys, and whether a code fits; refuses to know who asks.

allauth's own check of an app's code forgets a used one too early once clocks may differ, and would keep it in a cache;
here the row remembers the last step that was accepted. Callers hold the person's row locked.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from django.core.cache import cache
from django.utils import timezone

from strongroom.core import totp
from strongroom.db.models import Passkey, Person

ENROLMENT_SECONDS = 15 * 60
APP, RECOVERY = "app", "recovery-code"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a code turned out to be, and how many recovery codes are left."""

    kind: str
    recovery_codes_left: int


def of(person: Person) -> Authenticator | None:
    """The person's authenticator app, once confirmed."""
    return Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.TOTP).first()


def has_any(person_id: UUID) -> bool:
    """Whether the person has a factor of any kind, once confirmed."""
    apps = Authenticator.objects.filter(user_id=person_id, type=Authenticator.Type.TOTP)
    return apps.exists() or Passkey.objects.filter(person_id=person_id).exists()


def since(person: Person) -> datetime | None:
    """Since when they have a factor of any kind; None where they have none."""
    app = of(person)
    began = [*([app.created_at] if app else []), *person.passkeys.values_list("created_at", flat=True)]
    return min(began, default=None)


def recovery_codes_left(person: Person) -> int:
    """How many recovery codes were not used yet."""
    row = _recovery(person)
    return len(row.wrap().get_unused_codes()) if row else 0


def begin(person: Person) -> str:
    """A new secret, kept for 15 minutes until a code confirms it; an earlier one that was not is forgotten."""
    secret = totp.make_secret(secrets.token_bytes)
    cache.set(_pending(person), encrypt(secret), timeout=ENROLMENT_SECONDS)
    return secret


def pending(person: Person) -> str | None:
    """The secret that waits to be confirmed."""
    kept = cache.get(_pending(person))
    return decrypt(kept) if kept else None


def activate(person: Person, secret: str, step: int) -> list[str]:
    """Store a secret whose code of this step was seen; the recovery codes as `make_recovery_codes`."""
    now = timezone.now()
    Authenticator.objects.create(
        user=person,
        type=Authenticator.Type.TOTP,
        data={"secret": encrypt(secret), "last_step": step},
        created_at=now,
        last_used_at=now,
    )
    cache.delete(_pending(person))
    return make_recovery_codes(person, now)


def make_recovery_codes(person: Person, now: datetime) -> list[str]:
    """Ten codes, which are shown once; none where there are some already, which keep counting."""
    if _recovery(person) is not None:
        return []
    seed = Authenticator.objects.create(
        user=person,
        type=Authenticator.Type.RECOVERY_CODES,
        data={"seed": encrypt(secrets.token_hex(40)), "used_mask": 0},
        created_at=now,
    )
    return list(seed.wrap().generate_codes())


def accept(person: Person, code: str, now: datetime) -> Accepted | None:
    """Use up a code of the app or a recovery code; None for a wrong one and one that was used before."""
    app, typed = of(person), totp.normalize(code)
    if app is not None and totp.looks_like_code(typed):
        return _accept_app(person, app, typed, now)
    row = _recovery(person)
    if row is None or not row.wrap().validate_code(typed):
        return None
    return Accepted(RECOVERY, recovery_codes_left(person))


def remove(person: Person) -> bool:
    """Forget every factor of the person; whether there was one."""
    cache.delete(_pending(person))
    passkeys, _ = Passkey.objects.filter(person=person).delete()
    return bool(Authenticator.objects.filter(user_id=person.pk).delete()[0] or passkeys)


def remove_app(person: Person) -> None:
    """Forget the app; the recovery codes stay as long as there is a passkey."""
    if not Passkey.objects.filter(person=person).exists():
        remove(person)
        return
    cache.delete(_pending(person))
    Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.TOTP).delete()


def _accept_app(person: Person, app: Authenticator, code: str, now: datetime) -> Accepted | None:
    step = totp.matching_step(decrypt(app.data["secret"]), code, at=now, later_than=app.data.get("last_step", -1))
    if step is None:
        return None
    app.data["last_step"] = step
    app.last_used_at = now
    app.save(update_fields=["data", "last_used_at"])
    return Accepted(APP, recovery_codes_left(person))


def _recovery(person: Person) -> Authenticator | None:
    return Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.RECOVERY_CODES).first()


def _pending(person: Person) -> str:
    return f"mfa-enrolment:{person.pk}"
