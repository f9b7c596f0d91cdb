"""A space: its data sets."""

from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import datasets, spaces
from strongroom.console.pages import Request, page, render
from strongroom.console.spaces.frame import frame, may
from strongroom.console.words import word
from strongroom.core.vocabulary import Kind, RiskLevel, State, Verb

PAGE_SIZE = 50
Word = TypeVar("Word", bound=StrEnum)


@page
def show(request: Request, space_id: UUID) -> HttpResponse:
    """Data sets by name; `search` looks in name, repository and description."""
    view = spaces.show(request.actor, space_id)
    asked = {name: request.GET.get(name, "").strip() for name in ("search", "kind", "state")}
    found = datasets.list_(
        request.actor,
        space_id=space_id,
        kind=one_of(Kind, asked["kind"]),
        state=one_of(State, asked["state"]),
        search=asked["search"],
        cursor=request.GET.get("cursor") or None,
        limit=PAGE_SIZE,
    )
    is_sensitive = view.space.risk_level != RiskLevel.LOW
    more = {
        "rows": found.rows,
        "asked": asked,
        "is_narrowed": any(asked.values()) or "cursor" in request.GET,
        "kinds": [("", gettext("All kinds")), *((each, word(each).capitalize()) for each in Kind)],
        "states": [("", gettext("All states")), *((each, word(each).capitalize()) for each in State)],
        "more": urlencode({**asked, "cursor": found.next_cursor}) if found.next_cursor else "",
        "may_create": is_sensitive and may(request.actor, view, Verb.DATASET_CREATE),
        "may_edit": may(request.actor, view, Verb.SPACE_EDIT),
    }
    return render(request, "console/spaces/show.html", frame(request.actor, view, "datasets", **more))


def one_of(words: type[Word], given: str) -> Word | None:
    """The word of a filter; None for none, and for one that does not exist."""
    try:
        return words(given)
    except ValueError:
        return None
