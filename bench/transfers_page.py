"""The figures of transfers as tables: ours beside the best of what people use instead."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.figures import table, verdict


def section(found: Mapping[str, Any]) -> Iterator[str]:
    """One table up, one down, one of verifying and of what the machine allows."""
    yield (
        f"The same files into an empty data set and back into an empty folder, {_rounds(found['rounds'])}, the "
        "programs in turn; each from its start to its end. Ours signs in for credentials of its own, computes the "
        "SHA-256 of every file, compares what the store answered for each, records the hashes, and compares the "
        "store's list at the end. Down, it compares every file with its SHA-256 while it comes. Aim: at least the "
        "best of the others, with this on; who wants to be as sure of a download by another program runs "
        "`sha256sum -c` after it.\n"
    )
    for way, title in (("up", "upload"), ("down", "download")):
        yield table((title, *(f"{load['name']}, {load['unit']}" for load in found["loads"])), _rows(found, way))
        yield ""
    yield "What the machine allows for the same bytes, and verifying a folder that lies in memory:\n"
    yield table(("", *(f"{load['name']}, {load['unit']}" for load in found["loads"])), _limits(found))
    yield ""


def _rounds(count: int) -> str:
    return "one round" if count == 1 else f"{count} rounds"


def _rows(found: Mapping[str, Any], way: str) -> Iterator[tuple[str, ...]]:
    loads = found["loads"]
    for name in loads[0]["movers"]:
        yield (f"`{name}`", *(load["movers"][name][way]["shown"] for load in loads))
    ratios = [_ours(load, way) / _best(load, way) for load in loads]
    yield ("ours over the best of the others", *(f"{ratio:.2f}" for ratio in ratios))
    if way == "down":
        checked = [1 / (1 / _best(load, way) + 1 / load["limits"]["sha256sum"]) for load in loads]
        yield ("the best of the others, then `sha256sum -c`", *(f"{each:,.0f}" for each in checked))
        ratios = [_ours(load, way) / each for load, each in zip(loads, checked, strict=True)]
        yield ("ours over that", *(f"{ratio:.2f}" for ratio in ratios))
    yield ("aim met", *(verdict(ratio >= 1) for ratio in ratios))


def _ours(load: Mapping[str, Any], way: str) -> float:
    return next(float(each[way]["median"]) for each in load["movers"].values() if each["is_ours"])


def _best(load: Mapping[str, Any], way: str) -> float:
    return max(float(each[way]["median"]) for each in load["movers"].values() if not each["is_ours"])


def _limits(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    loads = found["loads"]
    for key, words in (
        ("disk", "copying the files, each on the disk before the next"),
        ("loopback", "one connection over loopback"),
        ("sha256sum", "`sha256sum -c`"),
        ("verify", "`strongroom verify`"),
    ):
        yield (words, *(f"{load['limits'][key]:,.0f}" for load in loads))
    yield ("`strongroom verify` over `sha256sum`", *(f"{_over(load['limits']):.2f}" for load in loads))


def _over(limits: Mapping[str, float]) -> float:
    return limits["verify"] / limits["sha256sum"]
