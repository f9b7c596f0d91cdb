"""One person, and what staff may do for them. A refusal shows the same page again, with why on top."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext, gettext_noop

from strongroom.actions import mfa, people, staffing
from strongroom.console.pages import Request, done, refused, render, wrong_fields
from strongroom.console.staff.door import deeds, staff_page, staff_posted
from strongroom.console.staff.people import shown_once, staff_role_of, staff_roles
from strongroom.core.errors import Invalid, NotFound, Refusal
from strongroom.core.sentences import say

TEMPLATE = "console/staff/person.html"


@staff_page
def show(request: Request, person_id: UUID) -> HttpResponse:
    """Who they are, whether they have a second factor, and what can be done for them."""
    return render(request, TEMPLATE, _sheet(request, person_id))


@staff_posted
def edit(request: Request, person_id: UUID) -> HttpResponse:
    """Their name and what they are on the platform."""

    def act() -> str:
        role = staff_role_of(request)
        changes = {"name": request.POST.get("name", ""), "staff_role": role}
        return gettext("{person} was changed.").format(
            person=people.edit(request.actor, person_id, changes=changes).email
        )

    return _do(request, person_id, act, "edit")


@staff_posted
def invite(request: Request, person_id: UUID) -> HttpResponse:
    """A new sign-in code, shown once; older unused ones stop working."""
    try:
        return shown_once(request, people.invite(request.actor, person_id))
    except NotFound:
        raise
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _sheet(request, person_id))


@staff_posted
def disable(request: Request, person_id: UUID) -> HttpResponse:
    """End everything they can do, at once."""
    reason = request.POST.get("reason", "")

    def act() -> str:
        _need_address(request, person_id)
        return gettext("{person} is disabled.").format(
            person=people.disable(request.actor, person_id, reason=reason).email
        )

    return _do(request, person_id, act, "disable")


@staff_posted
def remove(request: Request, person_id: UUID) -> HttpResponse:
    """Take somebody out of everything; the answer lists what was cut."""
    try:
        _need_address(request, person_id)
        removed = people.remove(request.actor, person_id, reason=request.POST.get("reason", ""))
    except NotFound:
        raise
    except Refusal as refusal:
        return _again(request, person_id, refusal, "remove")
    told = {"removed": removed, "person": removed.person, "tab": "people", "may": deeds(request.actor)}
    return render(request, "console/staff/removed.html", told)


@staff_posted
def enable(request: Request, person_id: UUID) -> HttpResponse:
    """Let them come back."""

    def act() -> str:
        email = people.enable(request.actor, person_id).email
        return gettext("{email} may come back. They need a new sign-in code.").format(email=email)

    return _do(request, person_id, act)


@staff_posted
def reset_second_factor(request: Request, person_id: UUID) -> HttpResponse:
    """Take away the factor that they lost, so that they enrol anew."""
    reason = request.POST.get("reason", "")

    def act() -> str:
        _need_address(request, person_id)
        return gettext("The second factor of {person} was reset.").format(
            person=mfa.reset(request.actor, person_id, reason=reason).email
        )

    return _do(request, person_id, act, "reset")


def _do(request: Request, person_id: UUID, act: Callable[[], str], form: str = "") -> HttpResponse:
    try:
        said = act()
    except NotFound:
        raise
    except Refusal as refusal:
        return _again(request, person_id, refusal, form)
    return done(request, f"/staff/people/{person_id}", said)


def _again(request: Request, person_id: UUID, refusal: Refusal, form: str) -> HttpResponse:
    """The page once more, with the form open that was refused."""
    wrong = wrong_fields(refusal)
    told = {
        f"open_{form}": True,
        f"{form}_error": wrong.get("confirm_name"),
        f"{form}_reason_error": wrong.get("reason"),
    }
    return refused(request, refusal, TEMPLATE, {**_sheet(request, person_id), **told})


def _sheet(request: Request, person_id: UUID) -> dict[str, Any]:  # a template's context
    view = staffing.person(request.actor, person_id)
    return {
        "view": view,
        "person": view.person,
        "person_id": str(view.person.id),
        "staff_role": view.person.staff_role or "",
        "is_oneself": view.person.id == request.actor.person_id,
        "staff_roles": staff_roles(),
        "consequences": {deed: [gettext(each) for each in lines] for deed, lines in CONSEQUENCES.items()},
        "tab": "people",
        "may": deeds(request.actor),
    }


def _need_address(request: Request, person_id: UUID) -> None:
    """Raises: NotFound, Invalid."""
    email = staffing.person(request.actor, person_id).person.email
    if request.POST.get("confirm_name", "").strip() != email:
        raise Invalid(
            say("Nothing was done: the address that was typed is not that of this person."),
            fields={"confirm_name": say("type {email}", email=email)},
            way_out=say("Type {email} exactly as it stands here.", email=email),
        )


CONSEQUENCES = {
    "disable": [
        gettext_noop("They can no longer sign in; every token and every unused sign-in code of theirs ends."),
        gettext_noop("Every access key they hold and every server they own is cut before the page answers."),
        gettext_noop("Their memberships are kept, for the case that they come back."),
    ],
    "remove": [
        gettext_noop(
            "They are disabled as above, and taken out of every space, with their second factor and staff role."
        ),
        gettext_noop("The next page lists what was cut. Their name stays in the ledger, as it must."),
        gettext_noop("Coming back would mean to be invited and made a member anew."),
    ],
    "reset": [
        gettext_noop("Make sure that it is really them who asks: speak to them, do not trust a letter."),
        gettext_noop("Their second factor and its recovery codes stop working, and every proof of it ends."),
        gettext_noop("They enrol a new one before they next need it."),
    ],
}
