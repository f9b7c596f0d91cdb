"""What every identity provider is asked, whatever its protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from strongroom.core.assertion import Assertion


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where a browser goes to sign in, and what is kept of it here until it comes back: small texts, secrets among
    them."""

    url: str
    kept: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Leaving({self.url.partition('?')[0]!r}, kept=***)"


class Provider(Protocol):
    """One identity provider."""

    @property
    def name(self) -> str:
        """What the button on the sign-in page calls it."""

    @property
    def counts_as_factor(self) -> bool:
        """Whether the operator takes anything that it says for a second factor."""

    def begin(self, back_url: str, *, is_fresh: bool) -> Leaving:
        """Send somebody there. `is_fresh`: they must prove anew who they are, even if it still knows them.

        Raises: Unavailable when the provider cannot be asked.
        """

    def finish(self, answer: Mapping[str, str], kept: Mapping[str, str], back_url: str) -> Assertion:
        """Who came back, proved by what the browser brought and by what was kept.

        Raises: Unauthenticated `sso-refused` for whatever does not prove it; Unavailable.
        """


@runtime_checkable
class HasMetadata(Protocol):
    """A provider that must be told about us by a document."""

    def own_metadata(self) -> bytes:
        """That document."""
