"""The page on which the record of a data set is edited; what is closed in its state is shown and cannot be sent."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils.translation import gettext

from strongroom.actions import datasets
from strongroom.console.datasets import parsing
from strongroom.console.datasets.creating import OFFERED
from strongroom.console.datasets.frame import frame
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.core import lifecycle
from strongroom.core.errors import Conflict, Refusal
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Kind, State

TEMPLATE = "console/datasets/edit.html"
_TEXTS = ("name", "description", "data_format", "owner_contact", "external_source")
_GONE = {State.DELETING, State.DELETED}


@page
def edit(request: Request, dataset_id: UUID) -> HttpResponseBase:
    """Every field, filled in; with POST what differs is written."""
    view = datasets.show(request.actor, dataset_id)
    if request.method != "POST":
        return render(request, TEMPLATE, _context(request, view, _values(view)))
    try:
        _refuse_overwriting(request, view)
        changes = _changes(request, view)
        if not changes:
            return done(request, f"/datasets/{dataset_id}", gettext("Nothing was changed."))
        datasets.edit(request.actor, dataset_id, changes=changes)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, view, request.POST))
    return done(request, f"/datasets/{dataset_id}", gettext("The record was changed."))


def _changes(request: Request, view: Any) -> dict[str, object]:
    """What differs from what the form showed; what is closed but was sent all the same is the action's to refuse."""
    form = request.POST
    changes: dict[str, object] = {field: form[field] for field in _TEXTS if _is_changed(form, field)}
    if _is_changed(form, "data_classifications"):
        changes["data_classifications"] = parsing.words(form["data_classifications"])
    if _is_changed(form, "needed_until"):
        changes["needed_until"] = parsing.day("needed_until", form["needed_until"])
    if "has_sources" in form and _are_sources_changed(form):
        changes["source_ids"] = parsing.ids("source_ids", form.getlist("source_ids"))
    if view.dataset.kind == Kind.ORIGINAL:
        changes.pop("external_source", None)
    return changes


def _is_changed(form: Any, field: str) -> bool:  # Django's query dict
    return field in form and _plain(form[field]) != _plain(form.get(f"was_{field}"))


def _are_sources_changed(form: Any) -> bool:  # Django's query dict
    was = form.getlist("was_source_ids")  # an empty one among them says that the form had said what there was
    return not was or set(form.getlist("source_ids")) != set(filter(None, was))


def _refuse_overwriting(request: Request, view: Any) -> None:
    """Raises: Conflict where somebody else changed meanwhile what is sent changed, too."""
    form, now = request.POST, _values(view)
    for field in now:
        was = form.get(f"was_{field}")
        if (
            was is not None
            and _is_changed(form, field)
            and _plain(now[field]) not in (_plain(was), _plain(form[field]))
        ):
            raise Conflict(
                say("Somebody else changed this meanwhile: it says “{value}” now.", value=now[field]),
                code="changed-meanwhile",
                way_out=say("Save once more to put yours in its place, or cancel to keep theirs."),
            )


def _plain(text: str | None) -> str | None:
    """Browsers send line breaks in a way of their own."""
    return None if text is None else text.replace("\r\n", "\n")


def _values(view: Any) -> dict[str, Any]:
    row = view.dataset
    return {
        **{field: getattr(row, field) for field in _TEXTS},
        "data_classifications": ", ".join(row.data_classifications),
        "needed_until": row.needed_until.isoformat() if row.needed_until else "",
    }


def _context(request: Request, view: Any, values: Any) -> dict[str, Any]:
    row = view.dataset
    chosen = {str(source.id) for source in view.sources}
    if request.method == "POST":
        chosen = set(request.POST.getlist("source_ids"))
    found = datasets.list_(request.actor, space_id=row.space_id, limit=OFFERED).rows
    offered = [each for each in found if each.state not in _GONE and each.id != row.id]
    known = {each.id for each in offered}
    offered += [each for each in view.sources if each.id not in known]
    is_open = dict.fromkeys(lifecycle.editable_fields(State(row.state)), True)
    shown = [(field, value) for field, value in _values(view).items() if is_open.get(field)]
    was = {"was": shown, "was_sources": ["", *(str(source.id) for source in view.sources)]}
    return frame(view, "", values=values, is_open=is_open, offered=offered, chosen=chosen, **was)
