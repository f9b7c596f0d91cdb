"""The catalogue is a table; what is wrong with it is said before anything is made from it."""

from decimal import Decimal
from pathlib import Path

import pytest

from strongroom.core.errors import Invalid
from strongroom.hosts import offerings

ONE = """
currency = "EUR"
[[offering]]
name = "large"
os = "linux"
description = "For much"
cpus = 64
memory_gib = 512
disk = "1 TB"
price_per_month = "1250.5"
"""


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_table_of_the_operator_s_own_replaces_the_built_in_one(tmp_path: Path) -> None:
    (found,) = offerings.read(table(tmp_path / "t.toml", ONE))
    assert (found.name, found.memory_bytes, found.price_per_month) == ("large", 512 * 1024**3, Decimal("1250.50"))
    assert found.currency == "EUR"


def test_the_built_in_table_has_several_sizes() -> None:
    found = offerings.read()
    assert len({each.memory_bytes for each in found}) >= 2
    assert found == sorted(found, key=lambda each: each.memory_bytes)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('name = "large"', 'name = "Large one"', "Large one"),
        ("cpus = 64", "cpus = 0", "cpus"),
        ("cpus = 64", "", "cpus"),
        ("cpus = 64", "cpus = 64\ngpus = 1", "gpus"),
        ('os = "linux"', 'os = "plan9"', "plan9"),
        ('"1250.5"', '"-1"', "price_per_month"),
        ('"1250.5"', '"NaN"', "price_per_month"),
        ('"EUR"', '"euro"', "euro"),
        ("[[offering]]", "[[offering]", "line"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, before: str, after: str, says: str) -> None:
    path = table(tmp_path / "t.toml", ONE.replace(before, after, 1))
    with pytest.raises(Invalid, match=str(path)) as refusal:
        offerings.read(path)
    assert says in str(refusal.value)


def test_two_of_one_name_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    twice = table(tmp_path / "t.toml", ONE + ONE.replace('currency = "EUR"', ""))
    for path in (twice, tmp_path / "missing.toml"):
        with pytest.raises(Invalid):
            offerings.read(path)
