"""The page of the figures: tables with the aim beside each, and plain words where one was missed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench import console_page, grants_page, mounts_page, transfers_page
from bench.figures import table, verdict

Figures = Mapping[str, Any]

_HEAD = """\
# Performance

<!-- Written by `make bench` from figures that it measured; do not edit. -->

Real processes: the embedded storage engine with encryption and fsync on, and both databases with fsync on. What is
compared was taken in turn, in one run. Figures are medians; in parentheses between which two four fifths of all
values lie. Everything ran on one machine, clients included, so they shared its cores with what they measured.
Repeat it with `make bench`; a part of it with `python -m bench control`.
"""

_AIMS = {"dataset.create": 5, "key.issue": 3, "key.reset": 3}
_RATIO = 1.5


def markdown(figures: Figures, sections: Iterable[str]) -> str:
    """The whole page; says which of the `sections` of the bench have no figures yet."""
    parts = [_HEAD, *_machines(figures), *_unmeasured(figures, sections)]
    for name, heading, section in (
        ("control", "Control operations", _control),
        ("keys", "Many access keys", _keys),
        ("repositories", "Many data sets", _repositories),
        ("cut", "The cut", _cut),
        ("grants", "Grant and revoke", _grants),
        ("manifests", "Manifest", _manifest),
        ("requests", "Requests a second", _requests),
        ("pages", "Pages beside 10,000 data sets", _pages),
        ("ledgers", "Ledger of 1,000,000 entries", _ledger),
        ("console", "Pages of the console", _console),
        ("painting", "Pages of the console in a browser", _painting),
        ("transfers", "Moving files", _transfers),
        ("mounts", "Mounts on a server", _mounts),
        ("agent", "The agent of a server", _agent),
    ):
        if _of(figures, name):
            parts += [f"\n## {heading}\n", *section(figures)]
    return "\n".join(parts).rstrip() + "\n"


def _of(figures: Figures, name: str) -> list[Figures]:
    return [found for key, found in figures.items() if key.split()[0] == name]


def _machines(figures: Figures) -> Iterator[str]:
    days = sorted({found["day"] for found in figures.values()})
    yield f"Measured {' and '.join(dict.fromkeys((days[0], days[-1])))} on: " + "; ".join(
        sorted({found["machine"] for found in figures.values()})
    )
    busy = [found["busy"] for found in figures.values()]
    yield (
        f"\nOther programs shared the machine: its load was {min(busy)} to {max(busy)} before the parts began, where 2 "
        "would keep both cores busy. Ratios of what was measured in turn bear that; times and rates are worse for it."
    )


def _unmeasured(figures: Figures, sections: Iterable[str]) -> Iterator[str]:
    if missing := [each for each in sections if not _of(figures, each)]:
        yield f"\nNot measured yet: {', '.join(f'`python -m bench {each}`' for each in missing)}."


def _control(figures: Figures) -> Iterator[str]:
    yield (
        "Requests to the engine until the answer, and the time over that of the same requests sent by a minimal script "
        f"(aim: at most {_RATIO:g} times).\n"
    )
    rows = []
    for found in _of(figures, "control"):
        for name, each in found["operations"].items():
            met = verdict(each["ratio_of_medians"] <= _RATIO)
            floor = [each["floor"], f"{each['floor_ratio_of_medians']:.2f}"] if "floor" in each else ["", ""]
            ratio = f"{each['ratio_of_medians']:.2f}"
            what = f"`{name}`, {found['database']}"
            rows.append((what, each["ours"], each["bare"], ratio, met, *floor, each["processor"], each["statements"]))
    head = (
        "ms",
        "bare ms",
        "ratio",
        "aim met",
        "bare with two commits, ms",
        "ratio",
        "our processor, ms",
        "statements",
    )
    yield table(("Operation", *head), rows)
    yield ""
    operations = _of(figures, "control")[0]["operations"] if _of(figures, "control") else {}
    counts = []
    for name, each in operations.items():
        asked, aim = _runs(each["requests"]), _AIMS.get(name)
        needed = len(dict.fromkeys(each["requests"]))
        counts.append((f"`{name}`", len(each["requests"]), aim or "", verdict(needed <= aim) if aim else "", asked))
    yield table(("Operation", "requests", "aim", "aim met", "which"), counts)
    yield _CONTROL_WORDS


_CONTROL_WORDS = """
- A bucket is one entry of the engine, encrypted and tagged, and so is a key; each is written in one request
  ([decision 0007](../decisions/0007-entries-of-the-engine.md)). A proof that comes a few
  milliseconds before the gateway knows the key is asked again, and then counts more than once.
- The bare requests leave nothing behind that survives a crash. A deed has to: what was asked is on disk before the
  engine hears of it, and that it was done before the answer. Those are two commits, and the first three deeds make no
  more; "bare with two commits" is the floor that this rule sets, with one statement in each.
- What a deed takes above that floor are its statements, for the rows, the lease, the ledger and the question whether
  the person still may. Each costs a good half of a millisecond of Python, which waits for a core where others want it,
  too; on PostgreSQL each is a round trip to a server as well, here on the same two cores.
- After a reset the worker removes the old key, when the policy has already made it powerless.
- `dataset.finalize` looks whether the data set is empty, a read. The first request that changes anything is the policy,
  alone. Between its proof and the end of the keys lies the freeze, a program of the engine that is started for it and
  takes most of the time. A key has ended when the gateway says that it does not know it.
"""


def _keys(figures: Figures) -> Iterator[str]:
    yield "One key that is made, let in by the public gateway, and removed, by how many the engine holds already.\n"
    for found in _of(figures, "keys"):
        rows = [(each["held"], each["make"], each["proved"], each["remove"]) for each in found["steps"]]
        head = ("keys that live at the same time", "make, ms", "until the gateway lets it in, ms", "remove, proved, ms")
        yield table(head, rows)
    yield (
        "\nMaking a key takes the same time however many there are. Each gateway then reads all of them again, in the "
        "background. Only pending data sets have a key, and finalizing removes it."
    )


def _repositories(figures: Figures) -> Iterator[str]:
    for found in _of(figures, "repositories"):
        processes = found["storage_processes"]
        yield (
            f"Repositories in {processes} storage {'process' if processes == 1 else 'processes'}, each with a policy "
            "and one object of a kilobyte. Making one: bucket, policy and proof, one at a time, beside as many as the "
            "row says. Open files: those of the process that has most.\n"
        )
        rows = [
            (
                f"{each['count']:,}",
                each["create"],
                each["first_object"],
                each["read"],
                f"{each['open_files']:,}",
                f"{each['memory_bytes'] / 1e9:.1f} GB",
                f"{each['disk_bytes'] / 1e6:,.0f} MB",
            )
            for each in found["steps"]
        ]
        head = ("repositories", "make one, ms", "its first object, ms", "read one, ms", "open files", "memory", "disk")
        yield table(head, rows)
        yield (
            f"\nFilled up to {found['reached']:,}; killed and started again, the engine takes writes after "
            f"{found['restart_seconds']:.0f} s. The limit of open files was {found['most_open_files']:,} for "
            "each process."
        )
        if found["refusal"]:
            yield "To more it refused the first object: each takes two open files, and its connections some."


def _runs(requests: list[str]) -> str:
    names = [each.partition(".")[2] or each for each in requests]
    return ", ".join(f"`{name}`" for name in names)


def _cut(figures: Figures) -> Iterator[str]:
    for found in _of(figures, "cut"):
        yield (
            f"{found['writers']} writers send small objects as fast as they can; {found['rounds']} times somebody "
            f"finalizes. {found['acknowledged']:,} writes were acknowledged.\n"
        )
        rows = [
            ("finalize is answered, ms after the call", found["answer"], ""),
            ("the last write that succeeded ended, ms after the call", found["last_success"], ""),
            ("between that and the answer, ms", found["margin"], ""),
            ("writes that began after the answer and succeeded", found["started_after"], _zero(found["started_after"])),
            ("writes under way at the answer that succeeded", found["ended_after"], _zero(found["ended_after"])),
            ("acknowledged writes that are not in the manifest", found["missing"], _zero(found["missing"])),
            ("the data set is `finalized`, receipt and all, ms after the call", found["finalized"], ""),
        ]
        yield table(("", "measured", "aim met (none)"), rows)


def _zero(count: int) -> str:
    return verdict(count == 0)


def _grants(figures: Figures) -> Iterator[str]:
    if found := _of(figures, "grants"):
        yield from grants_page.section(found)


def _manifest(figures: Figures) -> Iterator[str]:
    for found in _of(figures, "manifests"):
        yield (
            "Writing the manifest (list, order, hash, compress, store) beside a bare listing of the same bucket by the "
            "paginator of boto3. Entries a second; aim: at least 0.9 times the bare listing.\n"
        )
        rows = [
            (
                f"{each['count']:,} objects",
                f"{each['seconds']:.1f}" if "seconds" in each else "",
                each["ours"],
                each["listing"],
                each["bare"],
                f"{each['ratio_of_medians']:.2f}",
                verdict(each["ratio_of_medians"] >= 0.9),
                f"{each['grown_bytes'] / 1e6:.0f} MB",
            )
            for each in found["sizes"]
        ]
        yield table(
            (
                "",
                "seconds",
                "manifest",
                "our listing alone",
                "bare listing",
                "ratio",
                "aim met",
                "memory grew by at most",
            ),
            rows,
        )
        yield (
            f"\nThe whole finalize of {found['sizes'][-1]['count']:,} objects, once, after those runs: answered after "
            f"{found['answer_seconds']:.1f} s, finalized with its receipt after {found['finalized_seconds']:.1f} s."
        )


def _requests(figures: Figures) -> Iterator[str]:
    yield "Through the real web server; the clients are threads of one process on the same cores.\n"
    found = _of(figures, "requests")
    names = found[0]["endpoints"] if found else {}
    head = [
        "8 clients",
        *(f"{each['database']}: {what}" for each in found for what in ("a second", "ms (95 % within)")),
    ]
    rows = [(name, *(each["endpoints"][name][what] for each in found for what in ("rate", "time"))) for name in names]
    yield table(head, rows)


def _pages(figures: Figures) -> Iterator[str]:
    yield "Server time of the whole request in milliseconds, and its database queries, signing in included.\n"
    found = _of(figures, "pages")
    names = found[0]["pages"] if found else {}
    head = ["", "queries", "kB", *(f"{each['database']} ms" for each in found)]
    rows = [
        (
            name,
            " / ".join(dict.fromkeys(str(each["pages"][name]["queries"]) for each in found)),
            f"{found[0]['pages'][name]['bytes'] / 1000:.0f}",
            *(each["pages"][name]["time"] for each in found),
        )
        for name in names
    ]
    yield table(head, rows)


def _ledger(figures: Figures) -> Iterator[str]:
    yield "Pages of 100 entries in milliseconds, newest first.\n"
    found = _of(figures, "ledgers")
    names = found[0]["pages"] if found else {}
    rows: list[tuple[object, ...]] = [(name, *(each["pages"][name] for each in found)) for name in names]
    rows.append(("`audit.verify`, entries a second", *(f"{each['verify']:,.0f}" for each in found)))
    rows.append(("`audit.verify`, the whole, seconds", *(f"{each['verify_seconds']:.0f}" for each in found)))
    rows.append(("`audit.verify`, memory grew by", *(f"{each['verify_grown_bytes'] / 1e6:.0f} MB" for each in found)))
    rows.append(("`audit.export`, entries a second", *(f"{each['export']:,.0f}" for each in found)))
    yield table(("", *(each["database"] for each in found)), rows)


def _console(figures: Figures) -> Iterator[str]:
    for found in _of(figures, "console"):
        yield from console_page.section(found)


def _painting(figures: Figures) -> Iterator[str]:
    for found in _of(figures, "painting"):
        yield from console_page.painted(found)


def _transfers(figures: Figures) -> Iterator[str]:
    for found in _of(figures, "transfers"):
        yield from transfers_page.section(found)


def _mounts(figures: Figures) -> Iterator[str]:
    for found in _of(figures, "mounts"):
        yield from mounts_page.section(found)


def _agent(figures: Figures) -> Iterator[str]:
    for found in _of(figures, "agent"):
        yield (
            f"The agent with a heartbeat every {found['heartbeat_seconds']} s, under Python {found['python']}, looked "
            f"at for {found['seconds']:.0f} s in which nobody asked it for anything; then its metadata service, asked "
            "by one client after the other over a connection each.\n"
        )
        rows = [
            ("memory of its own (PSS), MB", f"{found['pss_bytes'] / 1e6:.1f}"),
            ("resident memory (RSS), MB", f"{found['rss_bytes'] / 1e6:.1f}"),
            ("processor, with the `ssh-keygen` it starts, ms a minute", f"{found['cpu_ms_a_minute']:.0f}"),
            ("share of one core", f"{found['cpu_ms_a_minute'] / 600:.2f} %"),
            ("a token of the metadata service, ms", found["token"]),
            ("credentials with a token, ms", found["credentials"]),
            ("memory of its own after those requests, MB", f"{found['pss_bytes_after'] / 1e6:.1f}"),
            ("size of the one file, kB", f"{found['program_bytes'] / 1000:.0f}"),
        ]
        yield table(("", "measured"), rows)
