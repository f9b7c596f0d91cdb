"""How a server is, in one word with a tone, why, and what to do about it; refuses to know how that looks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from strongroom.actions.servers import ServerView, is_online
from strongroom.core.vocabulary import Power, ServerKind, ServerState

GOOD, BUSY, BAD, GONE = "good", "busy", "bad", "gone"


@dataclass(frozen=True, slots=True)
class Standing:
    """A word and its tone. `reason` completes "it is …"; where it ends in a time, that is `at` (aware UTC).

    `is_moving`: it changes by itself soon, so that a page looks again.
    """

    word: str
    tone: str
    reason: str
    at: datetime | None = None
    way_out: str = ""
    is_moving: bool = False

    @property
    def is_failing(self) -> bool:
        """Whether something is being tried again and again."""
        return self.is_moving and self.tone == BAD


def of(view: ServerView, now: datetime) -> Standing:
    """How the server of a page is."""
    return of_row(view.server, now)


def of_row(row: Any, now: datetime) -> Standing:  # a row, whose class the edges do not know
    """How the server of one row of a list is."""
    if row.state == ServerState.JOINING:
        return _being_made(row) if row.kind == ServerKind.CREATED else _expected(row, now)
    if row.state == ServerState.DELETED:
        return _deleted(row)
    if row.state in (ServerState.DISABLED, ServerState.LAPSED):
        why = row.state_reason or gettext("it was silent for too long, so its access was cut")
        way_out = gettext("Its grants are kept. Enable it to give back what it was granted.")
        return Standing(str(row.state), BAD, gettext("{why}, since").format(why=why), row.state_at, way_out)
    return _active(row)


def _active(row: Any) -> Standing:
    is_ours = row.kind == ServerKind.CREATED
    if is_ours and not row.is_settled:
        return _changing(row)
    if is_ours and row.power == Power.STOPPED:
        return Standing("stopped", GONE, gettext("its machine does not run; what is on its disk stays"))
    if is_online(row):
        return Standing("active", GOOD, gettext("its agent was heard"), row.last_heartbeat_at)
    heard = gettext("its agent was last heard") if row.last_heartbeat_at else gettext("its agent was never heard")
    way_out = gettext("On the server, as root: “systemctl status strongroom” and “strongroom status” say why.")
    return Standing("silent", BUSY, heard, row.last_heartbeat_at, way_out)


def _changing(row: Any) -> Standing:
    word = "stopping" if row.power == Power.STOPPED else "starting"
    if row.last_error:
        return Standing(
            word,
            BAD,
            gettext("its host fails, and tries again: {last_error}").format(last_error=row.last_error),
            is_moving=True,
        )
    return Standing(word, BUSY, gettext("its host is at work"), is_moving=True)


def _being_made(row: Any) -> Standing:
    if row.last_error:
        return Standing(
            "joining",
            BAD,
            gettext("its host fails, and tries again: {last_error}").format(last_error=row.last_error),
            is_moving=True,
        )
    if row.power == Power.STOPPED:
        return Standing(
            "stopped", GONE, gettext("its machine was stopped before it joined"), way_out=gettext("Start it.")
        )
    made = (
        gettext("its machine is being made")
        if row.observed == Power.ABSENT
        else gettext("its machine runs; its agent joins next")
    )
    return Standing("joining", BUSY, made, is_moving=True)


def _expected(row: Any, now: datetime) -> Standing:
    if row.join_expires_at and row.join_expires_at > now:
        return Standing("joining", BUSY, gettext("its join command works until"), row.join_expires_at, is_moving=True)
    return Standing(
        "joining", BAD, gettext("its join command has expired"), way_out=gettext("Get a new join command below.")
    )


def _deleted(row: Any) -> Standing:
    is_leaving = row.kind == ServerKind.CREATED and not row.is_settled
    if is_leaving and row.last_error:
        return Standing(
            "deleted",
            BAD,
            gettext("its machine cannot be removed yet: {last_error}").format(last_error=row.last_error),
            is_moving=True,
        )
    return Standing(
        "deleted", GONE, gettext("{why}, since").format(why=row.state_reason), row.state_at, is_moving=is_leaving
    )
