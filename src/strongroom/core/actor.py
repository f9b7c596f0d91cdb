"""Who acts: the value every action takes first; refuses to know how they signed in."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from strongroom.core.vocabulary import Scope, StaffRole


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, as narrowed by the credential they came with.

    `scopes` are the credential's; `space_id` narrows a token to one space (None: all of the person's).
    The credential is a token (`token_id`), or the session of a browser (`session_id`).
    `mfa_proved_at` is when the credential's bearer last proved their second factor (aware UTC), if ever.
    `address` is the peer's IP address, `request_id` ties ledger and log together.
    """

    person_id: UUID
    email: str
    staff_role: StaffRole | None = None
    scopes: frozenset[Scope] = field(default_factory=lambda: frozenset(Scope))
    space_id: UUID | None = None
    token_id: UUID | None = None
    session_id: UUID | None = None
    mfa_proved_at: datetime | None = None
    address: str = ""
    request_id: str = ""
