"""The figures of grant and revoke as tables, for each database."""

from collections.abc import Iterator, Sequence
from typing import Any

from bench.figures import table, verdict


def section(found: Sequence[Any]) -> Iterator[str]:
    """What each asks of the engine, then when it works."""
    yield (
        f"One server and one data set, {found[0]['rounds']} times each in turn, beside a client of the server that "
        "reads over a kept connection without a pause.\n"
    )
    deeds = ("grant", "revoke")
    rows = [
        (
            f"`grant.{'create' if name == 'grant' else 'revoke'}`, {each['database']}",
            each[name]["writes"],
            verdict(each[name]["writes"] == 1),
            ", ".join(f"`{request.rpartition('.')[2]}`" for request in each[name]["requests"]),
            each[name]["effect"],
            each[name]["answer"],
        )
        for each in found
        for name in deeds
    ]
    head = ("", "engine writes", "aim met (1)", "all requests", "in force, ms after the call", "answered, ms")
    yield table(head, rows)
    late = sum(each["revoke"]["after_answer"] for each in found)
    reads = sum(each["reads"] for each in found)
    yield (
        "\nIn force: after a grant the first read that succeeds has ended, after a revoke the last one. Of "
        f"{reads:,} reads, those that began after a revoke had answered and succeeded: {late} ({verdict(late == 0)}). "
        "Where each server has a role of its own in a cloud, the same takes 9 to 14 calls and waits until they have "
        "spread; here a server is a session from the day it joins, and only the data set's policy changes."
    )
