"""One vocabulary: a verb is a rule, a function, an operation, and a word of the ledger."""

import importlib

import pytest

from strongroom.api.api import api
from strongroom.api.openapi import operations
from strongroom.core import authz
from strongroom.core.deeds import DEEDS
from strongroom.core.vocabulary import Verb

# The module of a noun is its plural, where it has one.
MODULES = {"person": "people", "audit": "audit", "system": "system", "mfa": "mfa", "fixity": "fixity", "terms": "terms"}
OPERATIONS = {each["operationId"]: each for *_, each in operations(api.get_openapi_schema())}
NO_VERB = {
    "person.sign_in",
    "device.begin",
    "device.claim",
    "receipt.key",
    "agent.download",
}  # for those who are not signed in: nobody acts
MACHINES = {"agent.join", "agent.heartbeat", "agent.credentials", "agent.manifest"}  # what servers ask: no person acts


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_has_a_rule_and_a_sentence(verb: Verb) -> None:
    assert verb in authz.RULES
    assert DEEDS[verb]


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_is_a_function_of_the_module_of_its_noun(verb: Verb) -> None:
    noun, _, deed = verb.partition(".")
    module = importlib.import_module(f"strongroom.actions.{MODULES.get(noun, noun + 's')}")
    assert callable(getattr(module, deed, None) or getattr(module, f"{deed}_"))


def test_the_operations_of_the_api_are_the_verbs() -> None:
    assert set(OPERATIONS) == {*(verb.value for verb in Verb), *NO_VERB, *MACHINES}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_filed_under_its_noun_and_documents_its_refusals(operation: dict[str, object]) -> None:
    noun = str(operation["operationId"]).partition(".")[0]
    assert operation["tags"] == [noun]
    assert operation["summary"]
    answers = operation["responses"]
    assert isinstance(answers, dict)
    expected = {"400", "422", "503"} if operation["operationId"] in NO_VERB else {"401", "403", "404", "409", "422"}
    assert expected <= set(answers)
    for status, answer in answers.items():
        if status >= "400":
            assert set(answer["content"]) == {"application/problem+json"}


def test_whoever_is_signed_in_comes_with_a_bearer_token() -> None:
    document = api.get_openapi_schema()
    scheme = document["components"]["securitySchemes"]["BearerToken"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for *_, operation in operations(document):
        named = operation["operationId"]
        expected = [] if named in NO_VERB else ["MachineSignature" if named in MACHINES else "BearerToken"]
        schemes = [scheme for each in operation.get("security", []) for scheme in each]
        assert [scheme.removesuffix("ToJoin") for scheme in schemes] == expected


def test_a_machine_comes_with_a_signature() -> None:
    scheme = api.get_openapi_schema()["components"]["securitySchemes"]["MachineSignature"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Strongroom-Signature")
