"""The API's documentation as a plain page: made on the server, no script, nothing from elsewhere."""

from collections.abc import Iterable
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

from strongroom.api.openapi import PREFIX, Operation, operations

_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class ReadableDocs(DocsBase):
    """One page with every operation and every shape."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **_: Any) -> HttpResponse:
        """The page."""
        return HttpResponse(_page(api), headers={"Content-Security-Policy": _POLICY})


def stylesheet(request: HttpRequest) -> HttpResponse:
    """How the page looks."""
    return HttpResponse((Path(__file__).parent / "docs.css").read_bytes(), content_type="text/css; charset=utf-8")


@cache
def _page(api: NinjaAPI) -> str:
    document = api.get_openapi_schema()
    info = document["info"]
    found = sorted(operations(document), key=lambda each: _noun(each[2]))
    nouns = {noun: list(group) for noun, group in groupby(found, key=lambda each: _noun(each[2]))}
    return format_html(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{} API</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="{}docs.css"></head><body>'
        '<nav>{}</nav><main><h1>{} API</h1><p>{}</p><p>For programs: <a href="{}openapi.json">openapi.json</a></p>'
        "{}<h2>Shapes</h2>{}</main></body></html>",
        info["title"],
        PREFIX,
        _contents(nouns),
        info["title"],
        info["description"],
        PREFIX,
        _each("<section><h2>{}</h2>{}</section>", ((noun, _all(group)) for noun, group in nouns.items())),
        _each("{}", ((_shape(name, shape),) for name, shape in document["components"]["schemas"].items())),
    )


def _noun(operation: Operation) -> str:
    return str(operation["tags"][0])


def _contents(nouns: dict[str, list[tuple[str, str, Operation]]]) -> SafeString:
    links = (
        (
            noun,
            _each(
                '<li><a href="#{}">{}</a></li>', ((each["operationId"], each["operationId"]) for _, _, each in group)
            ),
        )
        for noun, group in nouns.items()
    )
    return _each("<strong>{}</strong><ul>{}</ul>", links)


def _all(group: list[tuple[str, str, Operation]]) -> SafeString:
    return _each("{}", ((_operation(*each),) for each in group))


def _operation(path: str, method: str, operation: Operation) -> SafeString:
    return format_html(
        '<article id="{}"><h3>{}</h3><p><code><b>{}</b> {}</code></p><p>{} {}</p>{}{}{}</article>',
        operation["operationId"],
        operation["summary"],
        method.upper(),
        path,
        operation.get("description", ""),
        "" if "security" in operation else "For everybody, signed in or not.",
        _parameters(operation),
        _body(operation),
        _answers(operation),
    )


def _parameters(operation: Operation) -> SafeString:
    rows = (
        (each["name"], each["in"], _type(each["schema"]), _needed(each["required"]), each.get("description", ""))
        for each in operation["parameters"]
    )
    return _table(
        ("Parameter", "In", "Type", "", ""), _each("<tr><td><code>{}</code><td>{}<td>{}<td>{}<td>{}</tr>", rows)
    )


def _body(operation: Operation) -> SafeString:
    contents = operation.get("requestBody", {}).get("content", {})
    parts = ((media, _type(each["schema"]), _fields(each["schema"])) for media, each in contents.items())
    return _each("<p>Body: <code>{}</code> {}</p>{}", parts)


def _answers(operation: Operation) -> SafeString:
    rows = (
        (status, answer["description"], _each("{}", ((_type(each["schema"]),) for each in _content(answer))))
        for status, answer in operation["responses"].items()
    )
    return _table(("Answer", "", ""), _each("<tr><td>{}<td>{}<td>{}</tr>", rows))


def _content(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return list(answer.get("content", {}).values())


def _shape(name: str, schema: dict[str, Any]) -> SafeString:
    words = ", ".join(schema.get("enum", ()))
    return format_html(
        '<article id="shape-{}"><h3>{}</h3><p>{}</p><p>{}</p>{}</article>',
        name,
        name,
        schema.get("description", ""),
        f"One of: {words}" if words else "",
        _fields(schema),
    )


def _fields(schema: dict[str, Any]) -> SafeString:
    required = schema.get("required", ())
    rows = (
        (name, _type(each), _needed(name in required), each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    )
    return _table(("Field", "Type", "", ""), _each("<tr><td><code>{}</code><td>{}<td>{}<td>{}</tr>", rows))


def _type(schema: dict[str, Any]) -> SafeString:
    """A link to the shape, or what JSON Schema calls it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return format_html('<a href="#shape-{}">{}</a>', name, name)
    for word, joint in (("anyOf", " or "), ("allOf", " and ")):
        if word in schema:
            return SafeString(joint.join(_type(each) for each in schema[word]))
    if schema.get("type") == "array":
        return format_html("list of {}", _type(schema["items"]))
    if "const" in schema:
        return format_html("<code>{}</code>", schema["const"])
    words = schema.get("enum")
    return format_html("{}", ", ".join(words) if words else schema.get("format") or schema.get("type", "anything"))


def _needed(is_required: bool) -> str:
    return "required" if is_required else ""


def _table(heads: tuple[str, ...], rows: SafeString) -> SafeString:
    if not rows:
        return rows
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", _each("<th>{}</th>", zip(heads)), rows
    )


def _each(form: str, rows: Iterable[tuple[Any, ...]]) -> SafeString:
    return format_html_join("", form, rows)
