"""The API describes itself, the same in the repository as at its address."""

import json
import re

from strongroom.api.api import api
from strongroom.api.reference import openapi_json
from strongroom.api.shapes import Shown, Written
from tests.api.callers import Caller


def test_the_document_of_the_reference_is_the_one_that_is_served() -> None:
    assert json.loads(Caller()("GET", "/openapi.json").content) == json.loads(openapi_json())


def test_the_document_is_made_once_and_stays_as_it_was_made() -> None:
    Caller()("GET", "/openapi.json")
    Caller()("GET", "/docs")
    kept = json.dumps(api.get_openapi_schema())
    del api._document
    assert json.dumps(api.get_openapi_schema()) == kept


def test_every_reference_in_the_document_leads_somewhere() -> None:
    document = json.loads(openapi_json())
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', openapi_json()))
    assert named <= set(document["components"]["schemas"])


def test_the_page_names_every_operation_and_loads_nothing_from_elsewhere() -> None:
    answer = Caller()("GET", "/docs")
    page = answer.content.decode()
    for operations in json.loads(openapi_json())["paths"].values():
        for operation in operations.values():
            assert f'id="{operation["operationId"]}"' in page
    assert "<script" not in page
    assert " style=" not in page
    assert not re.findall(r'(?:src|href)="(?!#|/api/v1/)', page)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert Caller()("GET", "/docs.css").headers["Content-Type"].startswith("text/css")


def test_every_link_of_the_page_leads_somewhere() -> None:
    page = Caller()("GET", "/docs").content.decode()
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


def test_no_two_shapes_have_one_name() -> None:
    openapi_json()  # after this all of them are loaded; the document holds one of each name, and says it of both
    shapes: dict[str, set[str]] = {}
    waiting = [Written, Shown]
    while waiting:
        shape = waiting.pop()
        waiting += shape.__subclasses__()
        shapes.setdefault(shape.__name__, set()).add(shape.__module__)
    assert {name: modules for name, modules in shapes.items() if len(modules) > 1} == {}
