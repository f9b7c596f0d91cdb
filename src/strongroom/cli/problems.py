"""What can go wrong for the person at the terminal; refuses to know how it is printed.

A `Problem` says what was refused, why, and what to do instead. Anything else that is raised is a defect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.cli.exits import Exit


@dataclass
class Problem(Exception):
    """Something that was not done. `detail` is a sentence for people; `code` a stable word for programs."""

    detail: str
    exit: Exit
    way_out: str = ""
    title: str = ""
    code: str = ""
    request_id: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.detail

    def as_json(self) -> dict[str, object]:
        """For programs: the members of problem+json, with the exit code."""
        return {
            "title": self.title,
            "detail": self.detail,
            "way_out": self.way_out,
            "code": self.code,
            "fields": dict(self.fields),
            "request_id": self.request_id,
            "exit_code": int(self.exit),
        }


def usage(detail: str, way_out: str = "") -> Problem:
    """The words of the command were wrong."""
    return Problem(detail, Exit.USAGE, way_out, code="usage")


def not_signed_in(detail: str, way_out: str = "") -> Problem:
    """There is nothing to sign in with."""
    advice = way_out or "Run `strongroom login URL`, or set STRONGROOM_URL and STRONGROOM_TOKEN."
    return Problem(detail, Exit.NOT_SIGNED_IN, advice, code="unauthenticated")


def not_found(detail: str, way_out: str = "") -> Problem:
    """No such thing among those that may be seen."""
    return Problem(detail, Exit.NOT_FOUND, way_out, code="not-found")


def unavailable(detail: str, way_out: str = "", code: str = "unreachable") -> Problem:
    """The server cannot be reached or does not answer as Strongroom does."""
    return Problem(detail, Exit.UNAVAILABLE, way_out, code=code)


def not_verified(detail: str, way_out: str = "") -> Problem:
    """A signature, hash or chain does not hold."""
    return Problem(detail, Exit.NOT_VERIFIED, way_out, code="not-verified")


def local_file(error: OSError) -> Problem:
    """A file on this machine cannot be read or written."""
    return Problem(f"{error.filename or 'A file'}: {error.strerror or error}.", Exit.UNEXPECTED, code="file")
