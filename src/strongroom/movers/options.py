"""The options of `upload` and `sync`, the same for whoever types them on their own machine and on a server.

Refuses to know how a command line is read: each of the two builds its own from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from strongroom.movers import walk

MOST_THREADS = 128


class Kind(Enum):
    """What is typed behind an option."""

    FLAG = "flag"
    CHOICE = "choice"  # nothing: it stands for `chosen`
    TEXT = "text"
    TEXTS = "texts"  # may be repeated
    FOLDER = "folder of the data set"
    FILE = "file"
    RATE = "rate"
    MINUTES = "minutes"
    THREADS = "threads"


@dataclass(frozen=True)
class Option:
    """One of them. `name` is how the code calls its value."""

    flag: str
    name: str
    help: str
    kind: Kind = Kind.FLAG
    metavar: str = ""
    default: object = None
    chosen: str = ""


INCLUDE = Option("--include", "include", "Only files that fit, such as '*.dcm'.", Kind.TEXTS, "PATTERN")
EXCLUDE = Option("--exclude", "exclude", "No files that fit, such as 'cache/'.", Kind.TEXTS, "PATTERN")
LIMIT = Option("--limit", "limit", "At most so many bytes a second, such as 50MB.", Kind.RATE, "RATE")
DRY_RUN = Option("--dry-run", "is_dry_run", "Say what would be done, and do nothing.")
PATIENCE = Option(
    "--patience",
    "patience",
    "How long nothing may move, silence and pauses together, before it ends; the first answer to a request may take "
    "2.5 minutes even so.",
    Kind.MINUTES,
    "MINUTES",
    15,
)
LABEL = Option("--label", "label", "A word in the ledger that tells this transfer from others.", Kind.TEXT, "TEXT", "")
DOWNLOAD = (INCLUDE, EXCLUDE, LIMIT, DRY_RUN, PATIENCE)
UPLOAD = (
    Option("--into", "into", "A folder of the data set; its top if left out.", Kind.FOLDER, "FOLDER", ""),
    INCLUDE,
    EXCLUDE,
    Option("--follow-links", "links", "Upload what links lead to.", Kind.CHOICE, chosen=walk.FOLLOW),
    Option("--skip-links", "links", "Leave links out.", Kind.CHOICE, chosen=walk.SKIP),
    DRY_RUN,
    LIMIT,
    Option("--read-all", "is_careful", "Also read files that seem unchanged."),
    PATIENCE,
    Option("--threads", "threads", "How many requests at once.", Kind.THREADS, "N", 64),
    LABEL,
    Option("--manifest", "manifest", "Where the transfer manifest goes.", Kind.FILE, "FILE"),
    Option("--abort", "is_abort", "Clean up what an earlier run began; forget it."),
)
SYNC = (
    *UPLOAD,
    Option("--down", "is_down", "The other way: the folder follows the data set."),
    Option("--delete", "is_deleting", "Delete there what the folder does not hold."),
    Option("--confirm", "confirm", "The data set's exact name, instead of being asked.", Kind.TEXT, "NAME"),
)
ONLY_UP = {"is_abort": "--abort", "manifest": "--manifest", "links": "--follow-links or --skip-links"}
"""What has no meaning with `--down`, by its name."""
