"""How answers are written: JSON with microseconds and Z, and the first answer again for a repeated request."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, cast

from django.http import HttpRequest, HttpResponse
from ninja.renderers import BaseRenderer
from pydantic import BaseModel
from pydantic_core import to_json

from strongroom.actions import idempotency
from strongroom.api.signed_in import Request

MEDIA_TYPE = "application/json"
_CHUNK_BYTES = 1 << 20

IDEMPOTENT: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": False,
            "description": "Any text that you make anew for every new request, such as a UUID. A repetition with the "
            "same key gets the first answer again (header `Idempotency-Replayed: true`), without its secret.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
            "example": "0b7b0f1e-2f5c-4c89-a42c-1f3c0a4b7d11",
        }
    ]
}


class JsonRenderer(BaseRenderer):
    """JSON as pydantic writes it."""

    media_type = MEDIA_TYPE

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """The bytes of the body."""
        return to_json(data)


def once(request: Request, status: int, do: Callable[[], BaseModel], *, secrets: Sequence[str] = ()) -> HttpResponse:
    """Do it and answer; under an `Idempotency-Key` seen before, only answer, without the fields in `secrets`."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return _answer(status, do().model_dump(mode="json"))
    reply = idempotency.once(
        request.auth, key, _fingerprint(request), lambda: (status, do().model_dump(mode="json")), secrets=secrets
    )
    return _answer(reply.status, reply.body, {"Idempotency-Replayed": "true"} if reply.is_replay else {})


def _answer(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(to_json(body), status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def _fingerprint(request: Request) -> str:
    """What makes it the same request: credential, method, path and content. A form's boundary is none of it."""
    digest = hashlib.sha256(f"{request.auth.token_id} {request.method} {request.get_full_path()}\n".encode())
    if request.content_type != "multipart/form-data":
        digest.update(request.body)
        return digest.hexdigest()
    for name, value in sorted(request.POST.items()):
        digest.update(f"{name}={value!r}\n".encode())
    for name, file in sorted(request.FILES.items()):
        digest.update(f"{name}={file.name!r} {_sha256(cast('BinaryIO', file))}\n".encode())  # type: ignore[union-attr]  # one file a field
    return digest.hexdigest()


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
