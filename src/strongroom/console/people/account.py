"""The account page: who one is, the password, browsers, tokens."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext, gettext_noop, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from strongroom.actions import browsing, mfa, people, sessions, signon, tokens
from strongroom.console.pages import Request, done, page, posted, refused, render
from strongroom.console.people.agents import named
from strongroom.console.people.entering import same_twice
from strongroom.core.errors import Refusal
from strongroom.core.vocabulary import Scope

_PAGE = "console/people/account.html"
_HERE = "/account/"
_SHOWN = 50
_DAYS = (
    ("7", gettext_noop("7 days")),
    ("30", gettext_noop("30 days")),
    ("90", gettext_noop("90 days")),
    ("365", gettext_noop("a year")),
)
_SCOPES = (
    ((Scope.READ,), "read", gettext_noop("Read only")),
    ((Scope.READ, Scope.WRITE), "write", gettext_noop("Read, and work with data sets and servers")),
    (tuple(Scope), "manage", gettext_noop("Everything I may do")),
)


@page
def show(request: Request) -> HttpResponse:
    """Everything about oneself on one page."""
    return render(request, _PAGE, _context(request))


@sensitive_post_parameters()
@posted
def change_password(request: Request) -> HttpResponse:
    """Another password; every other browser is signed out."""
    try:
        same_twice(request.POST.get("password", ""), request.POST.get("repeated", ""))
        ended = browsing.change_password(
            request.actor, current=request.POST.get("current", ""), new=request.POST.get("password", "")
        )
    except Refusal as refusal:
        return refused(request, refusal, _PAGE, _context(request))
    said = gettext("Your password is changed.")
    if ended:
        others = ngettext("{count} other session ended.", "{count} other sessions ended.", ended)
        said = f"{said} {others.format(count=ended)}"
    return done(request, _HERE, said)


@posted
def end_session(request: Request, session_id: UUID) -> HttpResponse:
    """Sign a browser out; where it is this one, the next page asks who one is."""
    sessions.end(request.actor, session_id)
    return done(request, _HERE, gettext("That browser is signed out."))


@posted
def create_token(request: Request) -> HttpResponse:
    """A new token, shown this once."""
    chosen = next((scopes for scopes, word, _ in _SCOPES if word == request.POST.get("scopes")), (Scope.READ,))
    try:
        days = int(request.POST.get("days", "30")) if request.POST.get("days", "30").isdecimal() else 0
        new = tokens.create(request.actor, name=request.POST.get("name", ""), scopes=chosen, days=days)
    except Refusal as refusal:
        return refused(request, refusal, _PAGE, _context(request))
    return render(request, "console/people/token.html", {"new": new})


@posted
def revoke_token(request: Request, token_id: UUID) -> HttpResponse:
    """End a token at once."""
    tokens.revoke(request.actor, token_id)
    return done(request, _HERE, gettext("The token is revoked."))


def _context(request: Request) -> dict[str, object]:
    live = [row for row in tokens.list_(request.actor, limit=_SHOWN).rows if row.revoked_at is None]
    seen = [(row, named(row.agent)) for row in sessions.list_(request.actor, limit=_SHOWN).rows if row.ended_at is None]
    return {
        "person": people.show(request.actor, "me"),
        "factor": mfa.show(request.actor),
        "provider": signon.can_prove(request.actor),
        "has_password": browsing.has_password(request.actor),
        "sessions": seen,
        "tokens": live,
        "scopes": [(word, gettext(words)) for _, word, words in _SCOPES],
        "days": [(count, gettext(words)) for count, words in _DAYS],
        "name": request.POST.get("name", ""),
    }
