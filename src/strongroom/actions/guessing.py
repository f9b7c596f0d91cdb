"""Limits what one address or person may guess: refusals are counted in a table that all processes share."""

import ipaddress

from django.core.cache import cache

from strongroom.core.errors import TooMany
from strongroom.core.sentences import Sentence, say

REFUSALS = 10
WINDOW_SECONDS = 15 * 60


def slot(kind: str, address: str, *, what: Sentence, refusals: int = REFUSALS) -> str:
    """Take one of the places that refusals of this address have, before the secret is looked at; `free` it after.

    Raises: TooMany after so many refusals (10) of one address (of one /64 network, for IPv6) within 15 minutes.
    """
    taken = take(f"{kind}:{_neighbourhood(address)}", refusals=refusals, window_seconds=WINDOW_SECONDS)
    if taken is not None:
        return taken
    raise TooMany(
        say("Too many {what} from this address were refused.", what=what),
        way_out=say("Wait {minutes} minutes, then try again with a new one.", minutes=WINDOW_SECONDS // 60),
        retry_after_seconds=WINDOW_SECONDS,
    )


def take(subject: str, *, refusals: int, window_seconds: int) -> str | None:
    """Take one of so many places; None when none is free.

    `cache.add` is atomic, so that guesses sent all at once cannot exceed the limit either.
    """
    slots = [f"{subject}:{number}" for number in range(refusals)]
    taken = cache.get_many(slots)
    for each in slots:
        if each not in taken and cache.add(each, 1, timeout=window_seconds):
            return each
    return None


def free(slot: str) -> None:
    """It was no refusal."""
    cache.delete(slot)


def _neighbourhood(address: str) -> str:
    """One machine can use every address of an IPv6 /64."""
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if peer.version == 6:
        return str(ipaddress.ip_network((peer, 64), strict=False).network_address)
    return str(peer)
