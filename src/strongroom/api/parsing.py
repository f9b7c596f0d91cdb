"""Reads JSON, queries and forms; refuses what no database can store, before any action sees it."""

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say


class StrictParser(Parser):
    """As django-ninja reads, but neither NaN nor doubled or unknown names, NUL or half a surrogate pair."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The JSON of the body. Raises: Invalid, ValueError."""
        parsed: dict[str, Any] = json.loads(
            request.body.decode(), parse_constant=_refuse_constant, object_pairs_hook=_without_doubles
        )
        _refuse_unstorable(parsed)
        return parsed

    def parse_querydict(
        self, data: "MultiValueDict[str, Any]", list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        """A query or a form. Raises: Invalid."""
        parsed: dict[str, Any] = super().parse_querydict(data, list_fields, request)
        _refuse_unstorable(parsed)
        if data is request.GET:
            _refuse_unknown(set(parsed) - request.META.get("STRONGROOM_QUERY", set(parsed)))
        return parsed


def _refuse_unknown(names: set[str]) -> None:
    """A filter that is spelt wrong would silently not filter."""
    if names:
        raise Invalid(
            say("This operation knows no query parameter {name!r}.", name=min(names)[:100]),
            fields={name[:100]: say("unknown") for name in sorted(names)[:10]},
            way_out=say("See the documentation at /api/v1/docs."),
        )


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return names


def _refuse_unstorable(value: object, field: str = "") -> None:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise Invalid(
                say("A text holds a character that cannot be stored."),
                fields={field or "body": say("holds NUL or half a surrogate pair. Remove it")},
            )
    elif isinstance(value, dict):
        for name, each in value.items():
            _refuse_unstorable(name, field)
            _refuse_unstorable(each, f"{field}.{name}".lstrip("."))
    elif isinstance(value, list):
        for each in value:
            _refuse_unstorable(each, field)
