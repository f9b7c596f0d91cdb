"""The component page: every part that pages are made of, as it looks in light and in dark."""

from datetime import UTC, datetime

from django.http import HttpResponse

from strongroom.console.pages import Request, render
from strongroom.console.staff.door import deeds, staff_page
from strongroom.core.errors import Conflict
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Kind, MountHealth, RiskLevel, Role, ServerState, State

_STATES = (
    ("Data sets", [*State, *Kind]),
    ("Servers", list(ServerState)),
    ("Mounts", list(MountHealth)),
    ("Spaces", [*RiskLevel, *Role]),
    ("Tones", ["good", "busy", "wait", "bad", "gone"]),
)
_SAMPLE = datetime(2026, 1, 31, 14, 5, tzinfo=UTC)


@staff_page
def show(request: Request) -> HttpResponse:
    """Twice side by side, once per theme; a part that is added to the console is added here."""
    told = {
        "themes": ["light", "dark"],
        "states": _STATES,
        "sample_refusal": Conflict(say("“Sleep study” is finalized already."), way_out=say("Nothing is left to do.")),
        "sample_time": _SAMPLE,
        "consequences": ["Everything in it is removed.", "A record of it stays."],
        "options": [("a", "The first"), ("b", "The second")],
        "command": "strongroom mount dataset-ss-9ec7c0b6 /mnt/sleep --persist",
        "tab": "components",
        "may": deeds(request.actor),
    }
    return render(request, "console/staff/components.html", told)
