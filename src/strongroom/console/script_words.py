"""The words of the console's scripts in the language of the page: Django's catalogue of them, as one more script."""

import hashlib
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

PATH = "words.js"
_YEAR_SECONDS = 365 * 24 * 3600


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """`gettext`, `ngettext` and `interpolate` for scripts; browsers keep it for good at the address that pages name."""
    content = catalogue(_language())
    is_named = request.GET.get("v") == _version(content)
    kept = f"public, max-age={_YEAR_SECONDS}, immutable" if is_named else "no-cache"
    return HttpResponse(content, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": kept})


def address() -> str:
    """Where the catalogue of this page's language is; another address when its words change."""
    return f"/{PATH}?in={_language()}&v={_version(catalogue(_language()))}"


@cache
def catalogue(language: str) -> bytes:
    """Made once for each language."""
    with override(language):
        return JavaScriptCatalog(packages=["strongroom.console"]).get(HttpRequest()).content


def _language() -> str:
    return get_language() or "en"


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
