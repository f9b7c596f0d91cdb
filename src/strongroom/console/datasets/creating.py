"""The page on which a data set is created."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext

from strongroom.actions import datasets, spaces
from strongroom.console.datasets import parsing
from strongroom.console.pages import Request, done, page, refused, render
from strongroom.core import authz
from strongroom.core.errors import Invalid, Refusal
from strongroom.core.sentences import say
from strongroom.core.vocabulary import Kind, RiskLevel, State, Verb

TEMPLATE = "console/datasets/new.html"
OFFERED = 50  # sources on the page at a time; the search finds the others
_GONE = {State.DELETING, State.DELETED}


@page
def create(request: Request, space_id: UUID) -> HttpResponseBase:
    """Kind, name, what it is made from; the search for sources sends the form along and brings it back."""
    if request.method != "POST" or _is_search(request.POST):
        return _form(request, space_id)
    try:
        made = datasets.create(request.actor, space_id=space_id, **_written(request)).dataset
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, space_id))
    said = gettext("“{dataset}” was created, and is empty.").format(dataset=made.name)
    if made.kind == Kind.DERIVATIVE:
        said = f"{said} {gettext('No agreement was copied: attach those that apply.')}"
    return done(request, f"/datasets/{made.id}", said)


def _is_search(form: Any) -> bool:  # Django's query dict
    """Enter presses no button by its name: it is a search where the words to search for were just typed."""
    return "find" in form or ("create" not in form and form.get("search", "") != form.get("searched", ""))


def _form(request: Request, space_id: UUID) -> HttpResponse:
    return render(request, TEMPLATE, _context(request, space_id))


def _written(request: Request) -> dict[str, Any]:
    form = request.POST
    kind = form.get("kind", "")
    if kind not in list(Kind):
        raise Invalid(say("Is it an original or a derivative?"), fields={"kind": say("choose one")})
    is_derivative = kind == Kind.DERIVATIVE
    return {
        "kind": Kind(kind),
        "name": form.get("name", ""),
        "description": form.get("description", ""),
        "data_classifications": parsing.words(form.get("data_classifications", "")),
        "data_format": form.get("data_format", ""),
        "owner_contact": form.get("owner_contact", ""),
        "needed_until": parsing.day("needed_until", form.get("needed_until", "")),
        "source_ids": parsing.ids("source_ids", form.getlist("source_ids")) if is_derivative else [],
        "external_source": _external(form) if is_derivative else "",
    }


def _external(form: Any) -> str:  # Django's query dict
    text = str(form.get("external_source", ""))
    if "is_external" in form and not text.strip():
        raise Invalid(
            say("Say where the external source is."),
            fields={"external_source": say("such as its title and who keeps it")},
        )
    return text


def _context(request: Request, space_id: UUID) -> dict[str, Any]:
    view = spaces.show(request.actor, space_id)
    form, search = request.POST, request.POST.get("search", request.GET.get("search", ""))
    chosen = set(form.getlist("source_ids") or request.GET.getlist("source"))
    found = datasets.list_(request.actor, space_id=space_id, search=search, limit=OFFERED)
    offered = [row for row in found.rows if row.state not in _GONE]
    return {
        "view": view,
        "space": view.space,
        "is_low": view.space.risk_level == RiskLevel.LOW,
        "may_create": authz.RULES[Verb.DATASET_CREATE].admits(view.role, None, is_creator=False),
        "may_create_originals": authz.creates_originals(view.role),
        "form": form or request.GET,
        "kind": form.get("kind", request.GET.get("kind", "")),
        "search": search,
        "offered": offered,
        "is_more": found.next_cursor is not None,
        "chosen": chosen,
        "elsewhere": chosen - {str(row.id) for row in offered},
    }
