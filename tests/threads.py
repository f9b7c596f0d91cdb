"""Doing things at the same time, each on a database connection of its own."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections


def at_once(deeds: Iterable[Callable[[], object]]) -> list[object]:
    """What each returned or raised, in the order given; they start together."""
    waiting = list(deeds)
    barrier = threading.Barrier(len(waiting))

    def run(deed: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return deed()
        except Exception as refusal:  # noqa: BLE001 what a deed raises is its outcome
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(waiting)) as pool:
        return list(pool.map(run, waiting))
