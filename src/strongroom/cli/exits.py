"""The exit codes of the command line: what each means, and which answer of the server leads to which."""

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    """What the command line tells the shell."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    NOT_SIGNED_IN = 3
    FORBIDDEN = 4
    NOT_FOUND = 5
    CONFLICT = 6
    INVALID = 7
    UNAVAILABLE = 8
    NOT_VERIFIED = 9
    INCOMPLETE = 10
    INTERRUPTED = 130


MEANING: Mapping[Exit, str] = {
    Exit.OK: "Done.",
    Exit.UNEXPECTED: "Something went wrong that should not have: a defect, or a file that cannot be read or written.",
    Exit.USAGE: "The command was not understood: an unknown option, a missing argument, a name that fits two things.",
    Exit.NOT_SIGNED_IN: "Not signed in, or the token has expired or was revoked.",
    Exit.FORBIDDEN: "You may see it, but not do this.",
    Exit.NOT_FOUND: "It does not exist, or you may not know that it does.",
    Exit.CONFLICT: "Not now: its state, or somebody else's deed, is in the way.",
    Exit.INVALID: "A value was refused; the message says which and why.",
    Exit.UNAVAILABLE: "The server could not be reached, took too long, or waits for its storage. Try again later.",
    Exit.NOT_VERIFIED: "A signature, a manifest or the ledger did not hold: something was changed.",
    Exit.INCOMPLETE: "Everything else was moved, but some files were not: each is named, with its reason.",
    Exit.INTERRUPTED: "Interrupted with Ctrl-C.",
}

_BY_STATUS: Mapping[int, Exit] = {
    401: Exit.NOT_SIGNED_IN,
    403: Exit.FORBIDDEN,
    404: Exit.NOT_FOUND,
    408: Exit.UNAVAILABLE,
    409: Exit.CONFLICT,
    425: Exit.UNAVAILABLE,
    429: Exit.UNAVAILABLE,
}


def of_status(status: int) -> Exit:
    """The exit code for an HTTP status that is no success."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 400 <= status < 500:
        return Exit.INVALID
    return Exit.UNAVAILABLE if status in (502, 503, 504) else Exit.UNEXPECTED
