"""What an identity provider says about somebody who just signed in there; refuses to know how it was proved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from strongroom.core.vocabulary import IdentityKind


@dataclass(frozen=True, slots=True)
class Assertion:
    """Somebody, as their provider knows them.

    `issuer` and `subject` together name them for ever. `is_email_verified` is the provider's word, which only the
    operator's settings make worth something. `authenticated_at` (aware UTC) is when they last proved to the provider
    who they are, None where it does not say. `is_strong`: with something that the operator takes for a second factor.
    """

    kind: IdentityKind
    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str
    groups: tuple[str, ...]
    authenticated_at: datetime | None
    is_strong: bool

    @property
    def proved_at(self) -> datetime | None:
        """When the second factor was proved; None where nothing says that it was."""
        return self.authenticated_at if self.is_strong else None


def covers(domains: Iterable[str], domain: str) -> bool:
    """Whether a domain is one of these; `.example.org` names every domain below it."""
    return any(domain == each or (each.startswith(".") and domain.endswith(each)) for each in domains)
