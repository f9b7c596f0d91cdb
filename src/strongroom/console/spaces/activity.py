"""What happened in a space: the ledger, read by people."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext

from strongroom.actions import audit, spaces
from strongroom.console.pages import Request, page, refused, render, saved
from strongroom.console.spaces import wording
from strongroom.console.spaces.frame import frame, may
from strongroom.console.spaces.showing import one_of
from strongroom.console.words import word
from strongroom.core.errors import Invalid
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Outcome, Verb

PAGE_SIZE = 50
TEMPLATE = "console/spaces/activity.html"
_FILTERS = ("verb", "person", "outcome", "since", "until")


@page
def show(request: Request, space_id: UUID) -> HttpResponse:
    """Newest first; by deed, person, outcome and days (UTC, both counted in)."""
    view = spaces.show(request.actor, space_id)
    asked = {name: request.GET.get(name, "").strip() for name in _FILTERS}
    context = frame(
        request.actor,
        view,
        "activity",
        asked=asked,
        is_narrowed=any(asked.values()) or "cursor" in request.GET,
        verbs=wording.choices(),
        outcomes=[("", gettext("Any")), *((each, word(each).capitalize()) for each in Outcome)],
        may_export=may(request.actor, view, Verb.AUDIT_EXPORT),
        days=urlencode({name: asked[name] for name in ("since", "until") if asked[name]}),
    )
    try:
        found = audit.list_(
            request.actor,
            space_id=space_id,
            verb=asked["verb"] or None,
            person=asked["person"] or None,
            outcome=one_of(Outcome, asked["outcome"]),
            since=_day("since", asked["since"]),
            until=_day("until", asked["until"], days=1),
            cursor=request.GET.get("cursor") or None,
            limit=PAGE_SIZE,
        )
    except Invalid as refusal:
        return refused(request, refusal, TEMPLATE, context)
    context["rows"] = [wording.told(event) for event in found.rows]
    context["more"] = urlencode({**asked, "cursor": found.next_cursor}) if found.next_cursor else ""
    return render(request, TEMPLATE, context)


@saved
def export(request: Request, space_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """Everything of these days as JSON lines, which `strongroom audit verify` checks."""
    lines = audit.export(
        request.actor,
        space_id=space_id,
        since=_day("since", request.GET.get("since", "")),
        until=_day("until", request.GET.get("until", ""), days=1),
    )
    headers = {"Content-Disposition": f'attachment; filename="activity-{space_id}.jsonl"'}
    return StreamingHttpResponse(lines, content_type="application/jsonl", headers=headers)


def _day(field: str, text: str, *, days: int = 0) -> datetime | None:
    """The beginning of a day in UTC, so many days later. Raises: Invalid."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), UTC)
    except (ValueError, OverflowError):
        raise Invalid(say("This is not a day."), fields={field: say("write it as 2031-12-31")}) from None
