"""Which texts of queries and forms may reach an action: those that a database can store."""

from django.http import QueryDict

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say


def refuse_unstorable(*given: QueryDict) -> None:
    """Raises: Invalid for NUL or half of a surrogate pair, which no page of ours sends."""
    for query in given:
        for name, values in query.lists():
            if any("\0" in each or any("\ud800" <= one <= "\udfff" for one in each) for each in values):
                raise Invalid(
                    say("A text holds a character that cannot be stored."),
                    fields={name[:100]: say("holds a character that cannot be stored")},
                    way_out=say("Go back, and type the text instead of pasting it."),
                )
