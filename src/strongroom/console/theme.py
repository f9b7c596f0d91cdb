"""Light, dark, or as the reader's system has it: kept in a cookie, so that no page flashes in the other one."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from strongroom.console.local import local_path

COOKIE = "theme"
THEMES = ("system", "light", "dark")
_YEAR_SECONDS = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """What was chosen in this browser."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in THEMES else THEMES[0]


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep the choice and show the page again that it was made on."""
    response = HttpResponseRedirect(local_path(request.POST.get("next")))
    chosen = request.POST.get("theme", "")
    # Readable by the script, which changes the theme without loading the page again.
    response.set_cookie(
        COOKIE,
        chosen if chosen in THEMES else THEMES[0],
        max_age=_YEAR_SECONDS,
        secure=request.is_secure(),
        samesite="Lax",
    )
    return response
