"""The words that rows hold, as pages show them, ready to be translated; refuses to know their colours."""

from django.utils.translation import gettext, gettext_noop

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

_RISKS = {
    RiskLevel.LOW: gettext_noop("Low risk"),
    RiskLevel.MODERATE: gettext_noop("Moderate risk"),
    RiskLevel.HIGH: gettext_noop("High risk"),
}


def word(stored: str) -> str:
    """A stored word in the language of the page; what is no such word stays as it is."""
    return gettext(stored) if stored in WORDS else stored


def risk(level: str) -> str:
    """`Moderate risk`."""
    return gettext(_RISKS[RiskLevel(level)])
