"""What rows and other parts of Strongroom say, in the language of the page; refuses to know the colours of words."""

from enum import StrEnum

from django.utils.translation import gettext, gettext_noop, ngettext

from strongroom.core.sentences import Sentence
from strongroom.core.vocabulary import RiskLevel

WORDS = frozenset(
    {
        *(gettext_noop("low"), gettext_noop("moderate"), gettext_noop("high")),
        *(gettext_noop("original"), gettext_noop("derivative")),
        *(gettext_noop("pending"), gettext_noop("finalizing"), gettext_noop("finalized")),
        *(gettext_noop("deleting"), gettext_noop("deleted")),
        *(gettext_noop("owner"), gettext_noop("steward"), gettext_noop("researcher"), gettext_noop("auditor")),
        *(gettext_noop("administrator"), gettext_noop("support")),
        *(gettext_noop("read"), gettext_noop("write"), gettext_noop("manage")),
        *(gettext_noop("issuing"), gettext_noop("active"), gettext_noop("revoked"), gettext_noop("expired")),
        *(gettext_noop("lost"), gettext_noop("closed"), gettext_noop("withdrawn")),
        *(gettext_noop("upload"), gettext_noop("download")),
        *(gettext_noop("created"), gettext_noop("enrolled")),
        *(gettext_noop("linux"), gettext_noop("windows")),
        *(gettext_noop("joining"), gettext_noop("disabled"), gettext_noop("lapsed"), gettext_noop("silent")),
        *(gettext_noop("running"), gettext_noop("stopped"), gettext_noop("absent")),
        *(gettext_noop("starting"), gettext_noop("stopping")),
        *(gettext_noop("server-deleted"), gettext_noop("dataset-deleted")),
        *(gettext_noop("ok"), gettext_noop("failing"), gettext_noop("missing")),
        *(gettext_noop("altered"), gettext_noop("unreadable")),
        *(gettext_noop("done"), gettext_noop("refused")),
    }
)
"""Named one by one for the tool that collects what is to be translated."""

UNITS = frozenset(
    {
        *(gettext_noop("URL"), gettext_noop("URLs, comma between"), gettext_noop("address")),
        *(gettext_noop("bytes"), gettext_noop("command line"), gettext_noop("days")),
        *(gettext_noop("e-mail address"), gettext_noop("file"), gettext_noop("file or URL")),
        *(gettext_noop("folder"), gettext_noop("hours"), gettext_noop("image"), gettext_noop("minutes")),
        *(gettext_noop("names, comma between"), gettext_noop("networks, comma between")),
        *(gettext_noop("objects"), gettext_noop("port"), gettext_noop("ports"), gettext_noop("processes")),
        *(gettext_noop("seconds"), gettext_noop("text"), gettext_noop("texts, comma between")),
        *(gettext_noop("threads"), gettext_noop("transfers"), gettext_noop("word"), gettext_noop("words")),
    }
)
"""In what a setting is written: of `core.settings`, named here one by one, too."""

_RISKS = {
    RiskLevel.LOW: gettext_noop("Low risk"),
    RiskLevel.MODERATE: gettext_noop("Moderate risk"),
    RiskLevel.HIGH: gettext_noop("High risk"),
}


def word(stored: str) -> str:
    """A stored word in the language of the page; what is no such word stays as it is."""
    return gettext(stored) if stored in WORDS else stored


def unit(of_setting: str) -> str:
    """The unit of a setting."""
    return gettext(of_setting) if of_setting in UNITS else of_setting


def translated(said: str) -> str:
    """A sentence of `core`, `actions` and the like, such as a refusal; any other text stays as it is."""
    if not isinstance(said, Sentence) or not said:
        return said
    found = ngettext(said.template, said.plural, said.number) if said.plural else gettext(said.template)
    return said.worded(found, _value)


def risk(level: str) -> str:
    """`Moderate risk`."""
    return gettext(_RISKS[RiskLevel(level)])


def _value(value: object) -> object:
    if isinstance(value, Sentence):
        return translated(value)
    return word(value) if isinstance(value, StrEnum) else value
