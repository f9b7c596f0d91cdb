"""The figures of mounts as tables, each beside the AWS CLI on the same data."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.figures import table

_AWS = "aws"
_MANNERS = (
    ("read before", "reads a file again that it has read"),
    ("not read before", "reads another file"),
    ("list", "lists the folder"),
    ("write", "writes a file and closes it"),
    ("append", "appends to a file and closes it"),
    ("lost or late", "is a failed write there after all, once access is back"),
    ("after a new grant", "reads after a new grant"),
)


def section(found: Mapping[str, Any]) -> Iterator[str]:
    """Speed, then manners."""
    tools, counts, size = found["tools"], found["counts"], found["big_bytes"]
    names = [name for name in tools if name != _AWS]
    yield (
        f"The same data through a mount of each tool and by the AWS CLI, in turn, {found['rounds']} rounds; medians. "
        "The credentials come from a metadata service; every mount is fresh, made as the agent does. In parentheses: "
        "how many times as fast as the AWS CLI.\n"
    )
    rows = [
        _speed("read 1 GiB, MB/s", "read", size / 1e6, tools, names),
        _speed("write 1 GiB, MB/s", "write", size / 1e6, tools, names),
        _speed(f"read {counts['read']:,} files of 4 KiB, files/s", "small", counts["read"], tools, names),
        _speed(f"write {counts['written']:,} files of 4 KiB, files/s", "small_write", counts["written"], tools, names),
        _speed(f"list {counts['listed']:,} files, `ls -l`, files/s", "list", counts["listed"], tools, names),
        ("`find -size` over them then, seconds", "", *(f"{tools[name]['find']:.2f}" for name in names)),
        ("first byte of a file, ms", "", *(f"{tools[name]['first'] * 1000:.1f}" for name in names)),
        ("memory at most, reading, MB", "", *(f"{tools[name]['memory']:.0f}" for name in names)),
        ("memory at most, writing, MB", "", *(f"{tools[name]['write_memory']:.0f}" for name in names)),
    ]
    yield table(("", "AWS CLI", *names), rows)
    yield "\nWhat a program is told that works in a mount while its access is taken away:\n"
    manners = found["honesty"]
    yield table(("", *names), [(words, *(manners[name][key] for name in names)) for key, words in _MANNERS])
    yield (
        "\nWhich tool is the default and why: [decision 0010](../decisions/0010-how-data-sets-are-mounted.md). "
        "mount-s3 is measured where it is installed: here it could not be had."
    )


def _speed(
    title: str, key: str, amount: float, tools: Mapping[str, Mapping[str, float]], names: list[str]
) -> tuple[str, ...]:
    theirs = amount / tools[_AWS][key]
    mine = [amount / tools[name][key] for name in names]
    return (title, f"{theirs:,.0f}", *(f"{each:,.0f} ({each / theirs:.1f})" for each in mine))
