"""Which texts of queries and forms may reach an action: those that a database can store."""

from django.http import QueryDict
from django.utils.translation import gettext

from strongroom.core.errors import Invalid


def refuse_unstorable(*given: QueryDict) -> None:
    """Raises: Invalid for NUL or half of a surrogate pair, which no page of ours sends."""
    for query in given:
        for name, values in query.lists():
            if any("\0" in each or any("\ud800" <= one <= "\udfff" for one in each) for each in values):
                raise Invalid(
                    gettext("A text holds a character that cannot be stored."),
                    fields={name[:100]: gettext("holds a character that cannot be stored")},
                    way_out=gettext("Go back, and type the text instead of pasting it."),
                )
