"""Access keys that their owners reset once already: support finds the data set, and resets its key with a reason."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext, gettext_noop

from strongroom.actions import datasets, keys
from strongroom.console.pages import Request, refused, render, wrong_fields
from strongroom.console.staff.door import deeds, staff_page, staff_posted
from strongroom.console.wayout import at_a_browser
from strongroom.core import authz
from strongroom.core.errors import Invalid, NotFound, Refusal
from strongroom.core.sentences import say
from strongroom.core.vocabulary import State, Verb

PAGE_SIZE = 50
TEMPLATE = "console/staff/key.html"


@staff_page
def find(request: Request) -> HttpResponse:
    """Pending data sets of all spaces, by name: only they have keys."""
    _need_support(request)
    search = request.GET.get("search", "").strip()
    found = datasets.list_(request.actor, state=State.PENDING, search=search, limit=PAGE_SIZE) if search else None
    told = {"rows": found.rows if found else None, "has_more": bool(found and found.next_cursor), "search": search}
    return render(request, "console/staff/keys.html", {**told, "tab": "keys", "may": deeds(request.actor)})


@staff_page
def show(request: Request, dataset_id: UUID) -> HttpResponse:
    """Every key that the data set ever had."""
    _need_support(request)
    return render(request, TEMPLATE, _sheet(request, dataset_id))


@staff_posted
def reset(request: Request, dataset_id: UUID) -> HttpResponse:
    """A new key in place of the last one, shown once."""
    _need_support(request)
    try:
        _need_name(request, dataset_id)
        issued = keys.reset(request.actor, dataset_id, reason=request.POST.get("reason", ""))
    except NotFound:
        raise
    except Refusal as refusal:
        wrong = wrong_fields(refusal)
        told = {"is_open": True, "name_error": wrong.get("confirm_name"), "reason_error": wrong.get("reason")}
        return refused(request, refusal, TEMPLATE, {**_sheet(request, dataset_id), **told})
    once = {"issued": issued, "dataset": issued.key.dataset, "tab": "keys", "may": deeds(request.actor)}
    return render(request, "console/staff/key_once.html", once)


def _need_support(request: Request) -> None:
    """Raises: Forbidden, before anything is looked up."""
    actor = request.actor
    authz.check(Verb.KEY_RESET, role=None, staff_role=actor.staff_role, is_creator=False, scopes=actor.scopes)


def _sheet(request: Request, dataset_id: UUID) -> dict[str, Any]:  # a template's context
    view = datasets.show(request.actor, dataset_id)
    return {
        "dataset": view.dataset,
        "dataset_id": str(dataset_id),
        "keys": keys.list_(request.actor, dataset_id),
        "may_reset": Verb.KEY_RESET in view.may,
        "blocked": next((at_a_browser(each.reason) for each in view.blocked if each.verb is Verb.KEY_RESET), ""),
        "consequences": [gettext(each) for each in CONSEQUENCES],
        "tab": "keys",
        "may": deeds(request.actor),
    }


def _need_name(request: Request, dataset_id: UUID) -> None:
    """Raises: NotFound, Invalid."""
    name = datasets.show(request.actor, dataset_id).dataset.name
    if request.POST.get("confirm_name", "").strip() != name.strip():
        raise Invalid(
            say("Nothing was reset: the name that was typed is not that of the data set."),
            fields={"confirm_name": say("type {name}", name=name)},
            way_out=say("Type {name} exactly as it stands here.", name=name),
        )


CONSEQUENCES = [
    gettext_noop("The key that works now stops at once; uploads that use it fail."),
    gettext_noop("The new secret is shown once, to you: hand it over by a way you trust."),
    gettext_noop("The ledger of the space says that it was you, and why."),
]
