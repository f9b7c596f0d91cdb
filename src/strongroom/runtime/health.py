"""Whether this process lives, and whether what it needs answers."""

import threading
import time

from django.db import connection
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse

from strongroom import engines

# Anybody may ask, so asking costs the engine at most one look in this time.
_FRESH_SECONDS = 1.0
_lock = threading.Lock()
_seen: tuple[float, dict[str, bool]] | None = None


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when database and engine answer, else 503; says which part does not."""
    parts = _parts()
    is_ready = all(parts.values())
    words = {part: "ok" if is_healthy else "does not answer" for part, is_healthy in parts.items()}
    return JsonResponse(
        {"ready": is_ready, "parts": words}, status=200 if is_ready else 503, headers={"Cache-Control": "no-store"}
    )


def _parts() -> dict[str, bool]:
    global _seen
    with _lock:
        if _seen is None or time.monotonic() - _seen[0] > _FRESH_SECONDS:
            engine = {str(each.part): each.is_healthy for each in engines.current().health()}
            _seen = (time.monotonic(), {"database": _database_answers(), **engine})
        return _seen[1]


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except DatabaseError:
        return False
