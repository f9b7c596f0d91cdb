"""Somebody who speaks to the REST API over HTTP, as any program does."""

from dataclasses import dataclass
from typing import Any

import httpx

Json = Any


@dataclass
class Refused(Exception):
    """An answer that was not the one asked for."""

    status: int
    problem: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.status} {self.problem}"

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))


class Api:
    """One person's token. Every call returns the JSON of a success or raises Refused."""

    def __init__(self, url: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.token = token
        self._http = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=120)

    def get(self, path: str, **query: Any) -> Json:
        return self._json(self._http.get(path, params=query))

    def post(self, path: str, **body: Any) -> Json:
        return self._json(self._http.post(path, json=body))

    def delete(self, path: str, **query: Any) -> Json:
        return self._json(self._http.delete(path, params=query))

    def attach(self, path: str, filename: str, content: bytes, **about: str) -> Json:
        """A multipart form with one file."""
        return self._json(self._http.post(path, data=about, files={"file": (filename, content)}))

    def bytes(self, path: str) -> bytes:
        """The body as it is."""
        answer = self._http.get(path)
        self._check(answer)
        return answer.content

    def all(self, path: str, **query: Any) -> list[Json]:
        """The items of every page."""
        page = self.get(path, limit=500, **query)
        items: list[Json] = page["items"]
        while page["next_cursor"]:
            page = self.get(path, limit=500, cursor=page["next_cursor"], **query)
            items += page["items"]
        return items

    def status_of(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Status and refusal code of a call, whatever it is."""
        answer = self._http.request(method, path, **options)
        is_problem = answer.status_code >= 400 and "json" in answer.headers.get("content-type", "")
        return answer.status_code, str(answer.json().get("code", "")) if is_problem else ""

    def close(self) -> None:
        self._http.close()

    def _json(self, answer: httpx.Response) -> Json:
        self._check(answer)
        return answer.json() if answer.content else None

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_error:
            is_json = "json" in answer.headers.get("content-type", "")
            raise Refused(answer.status_code, answer.json() if is_json else {"text": answer.text})


@dataclass
class Study:
    """A data set with its key, and who keeps it."""

    api: Api
    id: str
    name: str
    repository: str
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret: str = ""

    @property
    def path(self) -> str:
        return f"/datasets/{self.id}"

    def show(self) -> Json:
        """The data set as the API tells it."""
        return self.api.get(self.path)

    def issue(self) -> "Study":
        """Get the access key."""
        return self.take(self.api.post(f"{self.path}/keys"))

    def take(self, issued: Json) -> "Study":
        """Use this key from now on."""
        self.access_key_id, self.secret = issued["key"]["access_key_id"], issued["secret"]
        self.endpoint, self.region = issued["endpoint"], issued["region"]
        return self

    def finalize(self, **options: Any) -> Json:
        """Ask for it; what the answer says."""
        return self.api.post(f"{self.path}/finalize", confirm_name=self.name, **options)
