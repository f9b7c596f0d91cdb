"""The OpenAPI document: what django-ninja makes of the operations, plus every refusal each can answer with."""

from collections.abc import Iterator
from functools import cache, cached_property
from http import HTTPStatus
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from strongroom.api import problems
from strongroom.api.problems import Problem

PREFIX = "/api/v1/"
_METHODS = ("get", "post", "patch", "delete", "put")
# What may be asked only so often; the first of them is asked by people who are not signed in yet.
_FURTHER = {"person.sign_in": [401, 429], "agent.join": [429], "agent.credentials": [413, 429]}
_FURTHER |= {"device.begin": [429], "device.claim": [401, 403, 409]}
_FURTHER |= {f"mfa.{verb}": [429] for verb in ("confirm", "prove", "remove")}

Operation = dict[str, Any]


class DocumentedAPI(NinjaAPI):
    """An API whose document says all that it answers."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The document, always for the path it is served at. It is made once: change a copy."""
        return self._document

    @cached_property
    def _document(self) -> OpenAPISchema:
        document = super().get_openapi_schema(path_prefix=PREFIX)
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        for path, _, operation in operations(document):
            _finish(path, operation)
        document["components"]["schemas"] = dict(sorted(document["components"]["schemas"].items()))
        return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    """Every path, method (lower case) and operation, in the order of the document."""
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


@cache
def _verbs(api: NinjaAPI) -> dict[tuple[str, str], str]:
    document = api.get_openapi_schema()
    return {(path, method.upper()): each["operationId"] for path, method, each in operations(document)}


def verb_of(api: NinjaAPI, route: str, method: str) -> str | None:
    """The operationId behind a Django route such as `api/v1/datasets/<dataset_id>`; None where there is none."""
    return _verbs(api).get((_path(route), method))


def _path(route: str) -> str:
    return "/" + route.replace("<", "{").replace(">", "}")


@cache
def _queries(api: NinjaAPI) -> dict[tuple[str, str], frozenset[str]]:
    return {
        (path, method.upper()): frozenset(part["name"] for part in each["parameters"] if part["in"] == "query")
        for path, method, each in operations(api.get_openapi_schema())
    }


def query_of(api: NinjaAPI, route: str, method: str) -> frozenset[str]:
    """The names that the query of the operation behind a Django route may hold."""
    return _queries(api).get((_path(route), method), frozenset())


def _finish(path: str, operation: Operation) -> None:
    answers = {str(status): answer for status, answer in operation["responses"].items()}
    for status in _refusals(path, operation):
        answers[str(status)] = _refusal(status)
    if any(each["name"] == "Idempotency-Key" for each in operation["parameters"]):
        _add_replay_header(answers)
    operation["responses"] = dict(sorted(answers.items()))


def _refusals(path: str, operation: Operation) -> list[int]:
    statuses = [400, 422, 503]
    if "security" in operation:
        statuses += [401, 403, 404, 409]
    if "requestBody" in operation:
        statuses.append(413)
    statuses += _FURTHER.get(operation["operationId"], [])
    return statuses


def _refusal(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
    if status in (409, 429):
        answer["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "seconds", "required": False}}
    return answer


def _add_replay_header(answers: dict[str, Any]) -> None:
    for status, answer in answers.items():
        if status.startswith("2"):
            answer["headers"] = {
                "Idempotency-Replayed": {
                    "schema": {"type": "string", "enum": ["true"]},
                    "required": False,
                    "description": "`true` when this is the answer to an earlier request with the same key",
                }
            }
