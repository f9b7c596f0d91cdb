"""Which servers can be made, and how their size and price read."""

from decimal import Decimal
from typing import TYPE_CHECKING

from strongroom.cli import words
from strongroom.cli.output import Column, Json
from strongroom.cli.problems import not_found, usage

if TYPE_CHECKING:
    from strongroom.cli.client import Api  # and with it httpx, which takes longer than what needs neither

COLUMNS = (
    Column("OFFERING", lambda item: item["name"]),
    Column("OS", lambda item: item["os"]),
    Column("CPUS", lambda item: item["cpus"], is_right=True),
    Column("MEMORY", lambda item: words.memory(item["memory_bytes"]), is_right=True),
    Column("PRICE", lambda item: price(item), is_right=True),
    Column("FOR", lambda item: item["description"], shrinks=True),
    Column("DISK", lambda item: item["disk"], shrinks=True),
)


def all_of(api: "Api") -> list[Json]:
    """Every offering."""
    return list(api.get("/offerings")["items"])


def chosen(api: "Api", named: str | None) -> Json:
    """The one that is named, or the only one. Raises Problem."""
    found = {str(each["name"]): each for each in all_of(api)}
    if not found:
        raise not_found(
            "No host is set up on which servers could be made.",
            "Enrol a machine that is there with `strongroom server enrol`, or ask an administrator for a host.",
        )
    if named is None and len(found) == 1:
        return next(iter(found.values()))
    if named not in found:
        said = "Which offering?" if named is None else f"There is no offering {named!r}."
        raise usage(said, f"Say --offering with one of: {', '.join(found)}. See `strongroom server offerings`.")
    return found[named]


def price(offering: Json) -> str:
    """What it costs: `25.00 EUR a month`, or that it costs nothing."""
    if Decimal(str(offering["price_per_month"])) == 0:
        return "free of charge"
    return f"{offering['price_per_month']} {offering['currency']} a month"


def described(offering: Json) -> str:
    """Its size and price in one line."""
    size = f"{words.counted(offering['cpus'], 'CPU')}, {words.memory(offering['memory_bytes'])} memory"
    return f"{offering['name']} ({offering['os']}, {size}; disk: {offering['disk']}), {price(offering)}"
