"""Grant and revoke: what each asks of the engine, and when a server that reads without a pause feels it."""

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.control import settled
from bench.figures import spread
from bench.inside import Place, control_plane, database

if TYPE_CHECKING:
    from strongroom.db.models import Dataset
    from strongroom.engines.protocol import Session

WARM_UP, ROUNDS, PAUSE_SECONDS = 5, 30, 0.25
_READS = ("List", "Get", "Head", "Lookup")
# One kept connection that asks for the same object as fast as it is answered, and notes every answer.
_READING = """
import http.client, json, select, sys, time
host, path, headers = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
line = http.client.HTTPConnection(host, timeout=60)
while not select.select([sys.stdin], [], [], 0)[0]:
    began = time.monotonic()
    line.request("GET", path, headers=headers)
    answer = line.getresponse()
    answer.read()
    print(began, time.monotonic(), answer.status)
"""


class Read(NamedTuple):
    """One request of the reader, by the monotonic clock, and the status it was answered with."""

    began: float
    ended: float
    status: int


@dataclass
class Deeds:
    """All rounds of one deed, in seconds of the monotonic clock; `requests` are those of the last round."""

    called: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


def measure() -> dict[str, object]:
    """Many rounds on one data set and one server, beside one reader."""
    with control_plane() as place:
        assert place.running
        dataset, server_id, session = _joined(place)
        grant, revoke = Deeds(), Deeds()
        with _reading(place, dataset, session) as reads:
            for number in range(WARM_UP + ROUNDS):
                _round(place, dataset, server_id, *((grant, revoke) if number >= WARM_UP else (Deeds(), Deeds())))
    return {
        "database": database(),
        "rounds": ROUNDS,
        "reads": len(reads),
        "grant": _told(grant, [_first(reads, called) for called in grant.called]),
        "revoke": {
            **_told(revoke, [_last(reads, called) for called in revoke.called]),
            "after_answer": sum(_after(reads, answered) for answered in revoke.answered),
        },
    }


def _round(place: Place, dataset: "Dataset", server_id: object, grant: Deeds, revoke: Deeds) -> None:
    from strongroom.actions import grants

    give = partial(grants.create, place.actor, dataset.id, server_id)  # type: ignore[arg-type]
    take = partial(grants.revoke, place.actor, dataset.id, server_id)  # type: ignore[arg-type]
    for deeds, do in ((grant, give), (revoke, take)):
        _done(place, dataset, deeds, do)
        time.sleep(PAUSE_SECONDS)


def _done(place: Place, dataset: "Dataset", deeds: Deeds, do: Callable[[], object]) -> None:
    assert place.running
    deeds.called.append(time.monotonic())
    with place.running.counted() as deeds.requests:
        do()
    deeds.answered.append(time.monotonic())
    with place.running.counted() as deeds.later:
        settled(dataset.id)


def _told(deeds: Deeds, effects: list[float]) -> dict[str, object]:
    answers = [end - begin for begin, end in zip(deeds.called, deeds.answered, strict=True)]
    return {
        "answer": spread(answers).shown(1000),
        "effect": spread(effects).shown(1000),
        "requests": deeds.requests,
        "writes": sum(not each.rpartition(".")[2].startswith(_READS) for each in [*deeds.requests, *deeds.later]),
    }


def _first(reads: list[Read], called: float) -> float:
    """Seconds from the call to the end of the first read that succeeded."""
    return next(each.ended for each in reads if each.began >= called and each.status == 200) - called


def _last(reads: list[Read], called: float) -> float:
    """Seconds from the call to the end of the last read that succeeded."""
    refused = next(each.began for each in reads if each.began >= called and each.status == 403)
    return max(each.ended for each in reads if each.began <= refused and each.status == 200) - called


def _after(reads: list[Read], answered: float) -> int:
    """Reads that began after the answer to a revoke and succeeded all the same; the next grant comes after a pause."""
    until = answered + PAUSE_SECONDS / 2
    return sum(answered < each.began < until and each.status == 200 for each in reads)


def _joined(place: Place) -> "tuple[Dataset, object, Session]":
    """A finalized original, a server that has joined, and the server's credentials."""
    from tests.machines import Machine

    from strongroom.actions import datasets, servers
    from strongroom.core.vocabulary import Kind, OperatingSystem
    from strongroom.db.models import Dataset

    assert place.running
    dataset = datasets.create(place.actor, space_id=place.space.id, kind=Kind.ORIGINAL, name="Granted").dataset
    place.running.engine.put_object(dataset.repository, "first.csv", io.BytesIO(b"a,b\n"))
    datasets.finalize(place.actor, dataset.id, confirm_name=dataset.name)
    settled(dataset.id)
    machine = Machine("127.0.0.1")
    machine.join(servers.enrol(place.actor, place.space.id, name="reader", os=OperatingSystem.LINUX).token)
    return Dataset.objects.get(id=dataset.id), machine.row.id, machine.session()


@contextmanager
def _reading(place: Place, dataset: "Dataset", session: "Session") -> Iterator[list[Read]]:
    """A process of its own that reads until the block ends; what it read, complete after the block."""
    assert place.running
    settings, path = place.running.settings, f"/{dataset.repository}/first.csv"
    request = AWSRequest("GET", f"{settings.endpoint}{path}")
    key = Credentials(session.access_key_id, session.secret, session.token)
    S3SigV4Auth(key, "s3", settings.region).add_auth(request)
    words = (urlsplit(settings.endpoint).netloc, path, json.dumps(dict(request.headers)))
    command = [sys.executable, "-I", "-c", _READING, *words]
    reads: list[Read] = []
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said) as reader:
        try:
            yield reads
        finally:
            reader.communicate(b"\n", timeout=60)
        assert reader.returncode == 0, "the reader broke off"
        said.seek(0)
        reads += [Read(float(began), float(ended), int(status)) for began, ended, status in map(str.split, said)]


if __name__ == "__main__":
    print(json.dumps(measure()))
