"""What the engine's counters and health pages tell."""

import re
import shutil
from collections.abc import Iterable

from strongroom.core.errors import Unavailable
from strongroom.engines.protocol import Health
from strongroom.engines.seaweedfs.http import Http
from strongroom.engines.seaweedfs.settings import Gateway, SeaweedSettings

_IN_FLIGHT = re.compile(rb'^SeaweedFS_s3_in_flight_requests\{type="(PUT|POST)"\} (\S+)$', re.MULTILINE)
_OPEN_FILES = re.compile(rb"^process_(open|max)_fds (\S+)$", re.MULTILINE)
# Above this share of what the system allows, somebody should act.
_FULL = 0.85


def writes_in_flight(http: Http, gateways: Iterable[Gateway]) -> int:
    """How many PUT and POST requests are being served now; deletes need no draining, they are over at once."""
    pages = [_page(http, gateway.metrics) for gateway in gateways]
    return sum(int(float(count)) for page in pages for _, count in _IN_FLIGHT.findall(page))


def health(settings: SeaweedSettings) -> list[Health]:
    """Whether each part answers, and how near the engine is to the limits of the machine; never raises."""
    http = Http(timeout_seconds=2)
    return [
        _answers(http, "storage", settings.private_endpoint),
        *(_answers(http, "public gateway", gateway.endpoint) for gateway in settings.gateways),
        _open_files(http, settings),
        _disk(settings),
    ]


def _answers(http: Http, part: str, endpoint: str) -> Health:
    try:
        status = http.get(f"{endpoint}/healthz").status
    except Unavailable as refusal:
        return Health(part, False, str(refusal))
    return Health(part, status == 200, f"answers at {endpoint}" if status == 200 else f"answers {status} at {endpoint}")


def _open_files(http: Http, settings: SeaweedSettings) -> Health:
    """Every volume takes two, and every bucket with content has a volume at least."""
    try:
        found = dict(_OPEN_FILES.findall(_page(http, f"http://127.0.0.1:{settings.ports.metrics}/metrics")))
        is_open, most = int(float(found[b"open"])), int(float(found[b"max"]))
    except (Unavailable, KeyError) as error:
        return Health("open files", False, f"unknown: {error}")
    detail = f"{is_open:,} of {most:,}"
    if is_open < _FULL * most:
        return Health("open files", True, detail)
    return Health("open files", False, f"{detail}: raise the limit of open files (ulimit -n) and restart")


def _disk(settings: SeaweedSettings) -> Health:
    try:
        usage = shutil.disk_usage(settings.home)
    except OSError as error:
        return Health("disk", False, str(error))
    share = usage.free / usage.total
    return Health("disk", share > 0.05, f"{usage.free / 1e9:,.0f} GB free ({share:.0%})")


def _page(http: Http, url: str) -> bytes:
    answer = http.get(url)
    if answer.status != 200:
        raise Unavailable(f"The storage engine's counters at {url} answer {answer.status}.")
    return answer.body
