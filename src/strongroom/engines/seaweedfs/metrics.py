"""What the gateways' counters, the health pages and the system tell about the engine."""

import re
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from pathlib import Path

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import Sentence, quoted, say
from strongroom.core.settings import STORAGE_PROCESSES
from strongroom.engines.protocol import Health
from strongroom.engines.seaweedfs import local, storages
from strongroom.engines.seaweedfs.http import Http
from strongroom.engines.seaweedfs.settings import Gateway, SeaweedSettings, Storage

_IN_FLIGHT = re.compile(rb'^SeaweedFS_s3_in_flight_requests\{type="(PUT|POST)"\} (\S+)$', re.MULTILINE)
_MOST_OPEN = re.compile(r"^Max open files\s+(\d+)", re.MULTILINE)
_OPEN_FILES = say("open files")
# Above this share of what the system allows, somebody should act.
_FULL = 0.85
# A process takes no more volumes before it has used up what its connections need. One that has less than half of that
# left held more volumes before the limit was lowered, or has more connections than were reckoned with.
_SHORT = storages.OTHER_FILES // 2


def writes_in_flight(http: Http, gateways: Iterable[Gateway]) -> int:
    """How many PUT and POST requests are being served now; deletes need no draining, they are over at once.

    Raises: Unavailable also when a gateway does not tell: that it counts none must be said, not left out.
    """
    return sum(_writes_at(http, gateway) for gateway in gateways)


def _writes_at(http: Http, gateway: Gateway) -> int:
    """A gateway counts PUTs from its first one on: where it has not begun, it gets one that it refuses."""
    found = _counted(http, gateway)
    if b"PUT" not in found:
        http.put_nothing(gateway.endpoint)
        found = _counted(http, gateway)
    if b"PUT" not in found:
        raise Unavailable(
            say("The counters at {metrics} do not tell how many writes are under way.", metrics=gateway.metrics),
            way_out=say("See whether they are those of the public gateway, and of the locked version of the engine."),
        )
    return sum(found.values())


def _counted(http: Http, gateway: Gateway) -> dict[bytes, int]:
    page = local.get(gateway.socket, gateway.metrics) if gateway.socket else None
    return {kind: int(float(count)) for kind, count in _IN_FLIGHT.findall(page or _page(http, gateway.metrics))}


def health(settings: SeaweedSettings) -> list[Health]:
    """Whether each part answers, and how near the engine is to the limits of the machine; never raises."""
    http = Http(timeout_seconds=2)
    return [
        _answers(http, quoted(settings.storages[0].name), settings.private_endpoint),
        *_all_run(settings, settings.storages[1:]),
        *(_answers(http, say("public gateway"), gateway.endpoint) for gateway in settings.gateways),
        _open_files(settings),
        _disk(settings),
    ]


def _answers(http: Http, part: Sentence, endpoint: str) -> Health:
    try:
        status = http.get(f"{endpoint}/healthz").status
    except Unavailable as refusal:
        return Health(part, False, refusal.sentence)
    if status == 200:
        return Health(part, True, say("answers at {endpoint}", endpoint=endpoint))
    return Health(part, False, say("answers {status} at {endpoint}", status=status, endpoint=endpoint))


def _all_run(settings: SeaweedSettings, further: Sequence[Storage]) -> list[Health]:
    """At the same time: where the master hangs, each would wait for it."""
    with ThreadPoolExecutor(STORAGE_PROCESSES) as pool:
        return list(pool.map(partial(_runs, settings), further))


def _runs(settings: SeaweedSettings, storage: Storage) -> Health:
    is_there = storages.is_there(settings, storage)
    said = say("holds the volumes in {folder}", folder=storage.folder)
    unknown = say("does not run, or the engine does not know it yet")
    return Health(quoted(storage.name), is_there, said if is_there else unknown)


def _open_files(settings: SeaweedSettings) -> Health:
    try:
        return open_files([(each.name, *_opened(settings.home, each)) for each in settings.storages])
    except (OSError, LookupError, ValueError) as error:
        return Health(_OPEN_FILES, False, say("unknown: {error}", error=error))


def open_files(found: Sequence[tuple[str, int, int]]) -> Health:
    """Whether there is room for more, given by process its name, how many it has open and how many it may.

    Every volume takes two, and every bucket with content has a volume at least. New ones go where there is room, so
    that all count together; but what the connections of one need, no other has for it.
    """
    counts = [say("{is_open:,} of {most:,}", is_open=is_open, most=most) for _, is_open, most in found]
    named = [say("{name} {count}", name=name, count=count) for (name, *_), count in zip(found, counts, strict=True)]
    detail = counts[0] if len(found) == 1 else reduce(lambda some, one: say("{some}; {one}", some=some, one=one), named)
    if short := [name for name, is_open, most in found if most - is_open < min(_SHORT, (1 - _FULL) * most)]:
        said = say(
            "{detail}: too few for the connections of {names}; raise the limit of open files (ulimit -Hn), and restart",
            detail=detail,
            names=", ".join(short),
        )
        return Health(_OPEN_FILES, False, said)
    if sum(is_open for _, is_open, _ in found) < _FULL * sum(most for *_, most in found):
        return Health(_OPEN_FILES, True, detail)
    said = say(
        "{detail}: raise the limit of open files (ulimit -Hn) or STRONGROOM_STORAGE_PROCESSES, and restart",
        detail=detail,
    )
    return Health(_OPEN_FILES, False, said)


def _opened(home: Path, storage: Storage) -> tuple[int, int]:
    """How many files the process has open, and how many it may. Source: proc(5)."""
    process = _process(home, storage)
    is_open = sum(1 for _ in (process / "fd").iterdir())
    return is_open, int(_MOST_OPEN.findall((process / "limits").read_text())[0])


def _process(home: Path, storage: Storage) -> Path:
    """Its folder under /proc: the process whose working directory is the home and that is told its folder there."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if f"-dir={storage.folder}".encode() in words and (process / "cwd").samefile(home):
                return process
        except OSError:  # it has ended, or is somebody else's
            continue
    raise LookupError(f"the process {storage.name} does not run on this machine")


def _disk(settings: SeaweedSettings) -> Health:
    try:
        usage = shutil.disk_usage(settings.home)
    except OSError as error:
        return Health(say("disk"), False, quoted(error))
    share = usage.free / usage.total
    said = say("{free:,.0f} GB free ({share:.0%})", free=usage.free / 1e9, share=share)
    return Health(say("disk"), share > 0.05, said)


def _page(http: Http, url: str) -> bytes:
    answer = http.get(url)
    if answer.status != 200:
        raise Unavailable(say("The storage engine's counters at {url} answer {status}.", url=url, status=answer.status))
    return answer.body
