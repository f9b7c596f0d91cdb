"""The catalogue: which servers can be made, how large they are and what they cost, read from a table (TOML)."""

import re
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from strongroom.core.errors import Invalid
from strongroom.core.sentences import quoted, say
from strongroom.core.vocabulary import OperatingSystem
from strongroom.hosts.protocol import Offering

BUILT_IN = Path(__file__).with_name("offerings.toml")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,59}")
_KEYS = {"name", "os", "description", "cpus", "memory_gib", "disk", "price_per_month"}


def read(path: Path | None = None) -> list[Offering]:
    """The offerings of a table, the smallest first; without a path, those that Strongroom comes with.

    Raises: Invalid naming the file, the offering and what is wrong.
    """
    path = path or BUILT_IN
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        found = [_offering(each, str(table.get("currency", "USD"))) for each in table["offering"]]
        if len({each.name for each in found}) < len(found):
            raise ValueError("two offerings have one name")
    except (OSError, ValueError, KeyError, TypeError, InvalidOperation) as wrong:
        raise Invalid(
            say("The catalogue of servers, {path}, cannot be read: {wrong}.", path=path, wrong=wrong),
            fields={"STRONGROOM_OFFERINGS": quoted(wrong)},
            way_out=say("Write it like {built_in}, or leave STRONGROOM_OFFERINGS empty.", built_in=BUILT_IN),
        ) from None
    return sorted(found, key=lambda each: (each.memory_bytes, each.cpus, each.name))


def _offering(entry: dict[str, Any], currency: str) -> Offering:
    name = str(entry.get("name", ""))
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an offering: lower-case letters, digits and hyphens")
    if wrong := sorted(entry.keys() ^ _KEYS):
        raise ValueError(f"{name}: {', '.join(wrong)} is missing or not known; it must have {', '.join(sorted(_KEYS))}")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValueError(f"{currency!r} is no currency, such as USD or EUR")
    price = Decimal(str(entry["price_per_month"]))
    if not (price.is_finite() and price >= 0):
        raise ValueError(f"{name}: price_per_month must be 0 or more")
    return Offering(
        name=name,
        os=OperatingSystem(entry["os"]),
        description=str(entry["description"]),
        cpus=_positive(name, "cpus", entry["cpus"]),
        memory_bytes=_positive(name, "memory_gib", entry["memory_gib"]) * 1024**3,
        disk=str(entry["disk"]),
        price_per_month=price.quantize(Decimal("0.01")),
        currency=currency,
    )


def _positive(name: str, key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: {key} must be a whole number from 1 on")
    return value
