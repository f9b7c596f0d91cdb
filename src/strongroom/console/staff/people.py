"""Everybody who is known, and how somebody new becomes it."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import people
from strongroom.actions.people import Invitation
from strongroom.console.pages import Request, refused, render
from strongroom.console.staff.door import deeds, staff_page
from strongroom.console.words import word
from strongroom.core import authz
from strongroom.core.errors import Invalid, Refusal
from strongroom.core.sentences import say
from strongroom.core.vocabulary import StaffRole, Verb

PAGE_SIZE = 50


@staff_page
def list_(request: Request) -> HttpResponse:
    """By e-mail address."""
    search, cursor = request.GET.get("search", "").strip(), request.GET.get("cursor") or None
    found = people.list_(request.actor, search=search, cursor=cursor, limit=PAGE_SIZE)
    more = urlencode({"search": search, "cursor": found.next_cursor}) if found.next_cursor else ""
    told = {"rows": found.rows, "search": search, "more": more, "tab": "people", "may": deeds(request.actor)}
    return render(request, "console/staff/people.html", told)


@staff_page
def create(request: Request) -> HttpResponse:
    """Somebody new; the answer shows the code by which they come in, once."""
    actor = request.actor
    authz.check(Verb.PERSON_CREATE, role=None, staff_role=actor.staff_role, is_creator=False, scopes=actor.scopes)
    told = {"sent": request.POST, "staff_roles": staff_roles(), "tab": "people", "may": deeds(actor)}
    if request.method != "POST":
        return render(request, "console/staff/person_new.html", told)
    try:
        made = people.create(
            actor,
            email=request.POST.get("email", ""),
            name=request.POST.get("name", ""),
            staff_role=staff_role_of(request),
        )
    except Refusal as refusal:
        return refused(request, refusal, "console/staff/person_new.html", told)
    return shown_once(request, made)


def shown_once(request: Request, made: Invitation) -> HttpResponse:
    """The page with a sign-in code, the one time it is shown."""
    told = {"person": made.person, "code": made.code, "expires_at": made.expires_at, "tab": "people"}
    told |= {"is_mailed": made.is_mailed, "address": request.build_absolute_uri(f"/invitations/{made.code}")}
    return render(request, "console/staff/code.html", {**told, "may": deeds(request.actor)})


def staff_role_of(request: Request) -> StaffRole | None:
    """The role that was chosen; none for an ordinary person. Raises: Invalid."""
    chosen = request.POST.get("staff_role", "")
    try:
        return StaffRole(chosen) if chosen else None
    except ValueError:
        raise Invalid(say("There is no such role."), fields={"staff_role": say("choose one from the list")}) from None


def staff_roles() -> list[tuple[str, str]]:
    """What one may choose from."""
    return [("", gettext("None: an ordinary person")), *((each.value, word(each).capitalize()) for each in StaffRole)]
