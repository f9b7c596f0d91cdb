"""Somebody at the REST edge: sends JSON, gets JSON."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from strongroom.core.actor import Actor
from tests.bearers import secret_of

PREFIX = "/api/v1"


class Caller:
    """Calls with one token, or with none. A bug in the server is raised here, not answered."""

    def __init__(self, secret: str | None = None) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {secret}"} if secret else {})

    def __call__(
        self, method: str, path: str, body: object = None, *, form: dict[str, Any] | None = None, **headers: str
    ) -> HttpResponse:
        """The answer to `method` (such as `POST`) at a path under /api/v1."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            return self.client.post(PREFIX + path, form, headers=named)
        data = "" if body is None else json.dumps(body)
        return self.client.generic(method, PREFIX + path, data, content_type="application/json", headers=named)


def calling(actor: Actor) -> Caller:
    """Somebody with a token that may do all they may."""
    return Caller(secret_of(actor))
