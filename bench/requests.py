"""Requests a second that eight clients get answered, endpoint by endpoint, through the real web server."""

import json
import threading
import time
from collections.abc import Callable
from itertools import count

from bench.figures import spread
from bench.inside import database
from bench.outside import Person, Whole, whole

CLIENTS, SECONDS, ROUNDS, DATA_SETS = 8, 3.0, 5, 120

Ask = Callable[[Person, int], object]


def measure() -> dict[str, object]:
    """The endpoints in turn, several times over. Requests a second; milliseconds."""
    with whole() as system:
        asks = _asks(system)
        for ask in asks.values():
            _load(system, ask, 0.5)
        rates: dict[str, list[float]] = {name: [] for name in asks}
        times: dict[str, list[float]] = {name: [] for name in asks}
        for _ in range(ROUNDS):
            for name, ask in asks.items():
                taken = _load(system, ask, SECONDS)
                rates[name].append(len(taken) / SECONDS)
                times[name] += taken
        told = {name: {"rate": spread(rates[name]).shown(1, 0), "time": _tail(times[name])} for name in asks}
        return {"database": database(), "clients": CLIENTS, "endpoints": told}


def _asks(system: Whole) -> dict[str, Ask]:
    owner = system.person()
    made = [system.dataset(owner, f"Cohort {number:03}")["id"] for number in range(DATA_SETS)]
    numbers = count()
    return {
        "show a data set": lambda person, _: person.ask("GET", f"/datasets/{made[next(numbers) % DATA_SETS]}"),
        "list 100 data sets": lambda person, _: person.ask("GET", "/datasets", limit=100),
        "list 100 ledger entries": lambda person, _: person.ask("GET", "/audit", limit=100),
        "edit a data set": lambda person, client: person.ask(
            "PATCH", f"/datasets/{made[client]}", {"description": f"Wave {next(numbers)}"}
        ),
        "create a data set": lambda person, _: system.dataset(person, f"New {next(numbers)}"),
    }


def _load(system: Whole, ask: Ask, seconds: float) -> list[float]:
    """What every answer took that came within the time."""
    taken: list[list[float]] = [[] for _ in range(CLIENTS)]
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        person = system.person()
        while (began := time.perf_counter()) < end:
            ask(person, number)
            if (now := time.perf_counter()) < end:
                taken[number].append(now - began)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for one in taken for each in one]


def _tail(times: list[float]) -> str:
    """`12 (95 % within 20)`."""
    ordered = sorted(times)
    return f"{ordered[len(ordered) // 2] * 1000:,.0f} ({ordered[int(len(ordered) * 0.95)] * 1000:,.0f})"


if __name__ == "__main__":
    print(json.dumps(measure()))
