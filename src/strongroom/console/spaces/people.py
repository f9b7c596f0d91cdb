"""Who belongs to a space, and as what."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import members, spaces
from strongroom.console.pages import Request, done, page, posted, refused, render
from strongroom.console.spaces.frame import ROLES, frame, may
from strongroom.console.words import word
from strongroom.core.errors import Invalid, Refusal
from strongroom.core.sentences import quoted, say
from strongroom.core.vocabulary import Role, Verb

PAGE_SIZE = 50
TEMPLATE = "console/spaces/people.html"


@page
def show(request: Request, space_id: UUID) -> HttpResponse:
    """The members, longest first."""
    return render(request, TEMPLATE, _context(request, space_id))


@posted
def add(request: Request, space_id: UUID) -> HttpResponse:
    """Make somebody who is known a member."""
    given = {"email": request.POST.get("email", ""), "role": request.POST.get("role", "")}
    try:
        made = members.add(request.actor, space_id, email=given["email"], role=_role(given["role"]))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, space_id, given=given))
    return done(
        request,
        f"/spaces/{space_id}/people",
        gettext("{person} is {role} now.").format(person=made.person.email, role=word(made.role)),
    )


@posted
def edit(request: Request, space_id: UUID, person_id: UUID) -> HttpResponse:
    """Another role."""
    try:
        changed = members.edit(request.actor, space_id, person_id, role=_role(request.POST.get("role", "")))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, space_id))
    return done(
        request,
        f"/spaces/{space_id}/people",
        gettext("{person} is {role} now.").format(person=changed.person.email, role=word(changed.role)),
    )


@posted
def remove(request: Request, space_id: UUID, person_id: UUID) -> HttpResponse:
    """Out of the space; who leaves by themselves goes home."""
    try:
        members.remove(request.actor, space_id, person_id)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request, space_id))
    to = "/" if person_id == request.actor.person_id and not request.actor.staff_role else f"/spaces/{space_id}/people"
    return done(
        request,
        to,
        gettext("They are no member any more. Their access keys and servers of this space stopped working."),
    )


def _context(request: Request, space_id: UUID, **more: object) -> dict[str, object]:
    view = spaces.show(request.actor, space_id)
    found = members.list_(request.actor, space_id, cursor=request.GET.get("cursor") or None, limit=PAGE_SIZE)
    told = {
        "rows": found.rows,
        "roles": [(role.value, gettext(word), gettext(does)) for role, (word, does) in ROLES.items()],
        "role_options": [(role.value, gettext(word)) for role, (word, _) in ROLES.items()],
        "given": {"role": Role.RESEARCHER},
        "may_edit": may(request.actor, view, Verb.MEMBER_EDIT),
        "more": urlencode({"cursor": found.next_cursor}) if found.next_cursor else "",
        **more,
    }
    return frame(request.actor, view, "people", **told)


def _role(sent: str) -> Role:
    try:
        return Role(sent)
    except ValueError:
        raise Invalid(say("Choose a role."), fields={"role": quoted(", ".join(map(word, Role)))}) from None
