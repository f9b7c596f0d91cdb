"""What groups of identity providers are mapped to, and the form that maps one."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext

from strongroom.actions import mappings, signon
from strongroom.actions.spaces import list_ as spaces_of
from strongroom.console.pages import Request, done, refused, render
from strongroom.console.staff.door import deeds, staff_page, staff_posted
from strongroom.console.words import word
from strongroom.core.errors import Invalid, Refusal
from strongroom.core.sentences import say
from strongroom.core.vocabulary import IdentityKind, Role, StaffRole

PAGE_SIZE = 100
TEMPLATE = "console/staff/groups.html"
_SPACES_SHOWN = 500


@staff_page
def show(request: Request) -> HttpResponse:
    """By group."""
    return render(request, TEMPLATE, _context(request))


@staff_posted
def add(request: Request) -> HttpResponse:
    """Map a group to what was chosen."""
    try:
        made = mappings.add(request.actor, **_given(request))
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, {**_context(request), "given": request.POST})
    return done(
        request,
        "/staff/groups",
        gettext("{group} is mapped. It counts from the next sign-in on.").format(group=made.group),
    )


@staff_posted
def remove(request: Request, mapping_id: UUID) -> HttpResponse:
    """End a mapping and what it gave."""
    try:
        mappings.remove(request.actor, mapping_id)
    except Refusal as refusal:
        return refused(request, refusal, TEMPLATE, _context(request))
    return done(request, "/staff/groups", gettext("The mapping is removed. What it alone gave has ended."))


def _given(request: Request) -> dict[str, Any]:  # what `mappings.add` takes
    """What the form says. `what` is `role:<role>`, `staff:<staff role>` or `group`. Raises: Invalid."""
    sort, _, name = request.POST.get("what", "").partition(":")
    space = request.POST.get("space_id", "")
    try:
        return {
            "provider": IdentityKind(request.POST.get("provider", "")),
            "group": request.POST.get("group", ""),
            "role": Role(name) if sort == "role" else None,
            "space_id": UUID(space) if sort == "role" and space else None,
            "staff_role": StaffRole(name) if sort == "staff" else None,
            "outer": request.POST.get("outer", "") if sort == "group" else "",
        }
    except ValueError:
        raise Invalid(say("Choose from the lists."), fields={"what": say("choose one from the list")}) from None


def _context(request: Request) -> dict[str, object]:
    found = mappings.list_(request.actor, cursor=request.GET.get("cursor") or None, limit=PAGE_SIZE)
    spaces = spaces_of(request.actor, limit=_SPACES_SHOWN).rows
    names = {each.kind: each.name for each in signon.offered()}
    return {
        "rows": found.rows,
        "more": urlencode({"cursor": found.next_cursor}) if found.next_cursor else "",
        "providers": [(each.value, names.get(each.value) or _not_set_up(each)) for each in IdentityKind],
        "is_set_up": bool(names),
        "spaces": [("", gettext("Choose a space")), *((str(each.id), each.name) for each in spaces)],
        "what": _what(),
        "tab": "groups",
        "may": deeds(request.actor),
    }


def _not_set_up(kind: IdentityKind) -> str:
    return gettext("{kind} (not set up)").format(kind=kind.value.upper())


def _what() -> list[tuple[str, str]]:
    """What a mapping may give."""
    of_space, of_platform = gettext("{role} of a space"), gettext("Staff of the platform: {role}")
    return [
        *((f"role:{each.value}", of_space.format(role=word(each).capitalize())) for each in reversed(Role)),
        *((f"staff:{each.value}", of_platform.format(role=word(each))) for each in StaffRole),
        ("group", gettext("Nothing itself: it lies within another group")),
    ]
