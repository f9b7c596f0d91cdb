"""Names an operation of the API after its verb."""

from typing import Any

from strongroom.core.deeds import DEEDS
from strongroom.core.vocabulary import Verb


def named(verb: Verb) -> dict[str, Any]:
    """The operationId is the verb, the tag its noun, the summary what it reads like in a sentence."""
    deed = DEEDS[verb]
    return {"operation_id": verb.value, "tags": [verb.partition(".")[0]], "summary": deed[0].upper() + deed[1:]}
