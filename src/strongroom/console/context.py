"""What every template knows: who is signed in, the theme, and where the page is."""

from django.http import HttpRequest
from django.utils.translation import get_language

from strongroom.console.theme import theme_of


def layout(request: HttpRequest) -> dict[str, object]:
    """Django context processor."""
    return {
        "actor": getattr(request, "actor", None),
        "theme": theme_of(request),
        "language": get_language() or "en",
        "here": request.get_full_path() if request.method in ("GET", "HEAD") else "",
    }
