"""What is in a data set, where it came from, and what was done with it."""

from uuid import UUID

from django.http import HttpResponseBase

from strongroom.actions import audit, datasets, folders, lineage, measuring
from strongroom.console.datasets import growing, picture
from strongroom.console.datasets.frame import CLOSED, frame
from strongroom.console.pages import Request, page, refused, render
from strongroom.console.spaces import wording
from strongroom.console.wayout import at_a_browser
from strongroom.console.words import translated
from strongroom.core.errors import Forbidden, Invalid, Refusal

LISTED = 100
EVENTS = 50


@page
def contents(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """One folder, `LISTED` entries at a time."""
    view = datasets.show(request.actor, dataset_id)
    prefix, after = request.GET.get("prefix", ""), request.GET.get("after", "")
    try:
        listing = folders.show(request.actor, dataset_id, prefix=prefix, after=after, limit=LISTED)
    except Refusal as refusal:
        return refused(request, refusal, CLOSED, frame(view, "contents"))
    files = [(stored, stored.key[len(prefix) :]) for stored in listing.files]
    growth = None if prefix else growing.draw(measuring.growth(request.actor, dataset_id))
    context = frame(view, "contents", listing=listing, files=files, trail=_trail(prefix), after=after, growth=growth)
    context["total"] = None if prefix or after else listing.total
    return render(request, "console/datasets/contents.html", context)


def _trail(prefix: str) -> list[tuple[str, str]]:
    """Each folder on the way, with its prefix."""
    names = prefix.split("/")[:-1]
    return [(name, "/".join(names[: at + 1]) + "/") for at, name in enumerate(names)]


@page
def origin(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The picture, and the same in words."""
    view = datasets.show(request.actor, dataset_id)
    told = lineage.show(request.actor, dataset_id)
    sources = [row for row in told.rows if told.levels[row.id] < 0]
    derivatives = [row for row in told.rows if told.levels[row.id] > 0]
    drawn = picture.draw(told)
    context = frame(view, "lineage", told=told, drawn=drawn, sources=sources, derivatives=derivatives)
    return render(request, "console/datasets/lineage.html", context)


@page
def activity(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """The ledger's entries about it for those who may read them; how its record changed for everybody who sees it."""
    view = datasets.show(request.actor, dataset_id)
    events, closed = None, ""
    verb = request.GET.get("verb", "")
    try:
        events = audit.list_(
            request.actor,
            dataset_id=dataset_id,
            verb=verb or None,
            cursor=request.GET.get("cursor") or None,
            limit=EVENTS,
        )
    except Forbidden as refusal:
        closed = at_a_browser(refusal.in_full)
    except Invalid as refusal:
        closed = translated(refusal.sentence)
    context = frame(
        view,
        "activity",
        events=events,
        rows=[wording.told(event) for event in events.rows] if events else [],
        closed_because=closed,
        changes=datasets.history(request.actor, dataset_id)[:50],
        verb=verb,
        verbs=_verbs(),
    )
    return render(request, "console/datasets/activity.html", context)


def _verbs() -> list[tuple[str, str]]:
    """What one may filter by, in the words of the page."""
    nouns = ("dataset.", "key.", "attachment.", "grant.", "manifest.", "receipt.", "crate.", "fixity.")
    return [(value, words) for value, words in wording.choices() if value.startswith(nouns)]
