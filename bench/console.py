"""The pages of the console beside 10,000 data sets, 1,000 members and a million events: server time and bytes."""

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bench.figures import spread, timed
from bench.inside import Place, control_plane, database

if TYPE_CHECKING:
    from tests.crowd import Crowd

ROUNDS, WARM_UP = 10, 2
PAGES = {
    "home": "/",
    "spaces": "/spaces/",
    "space": "/spaces/<uuid:space_id>",
    "people and roles": "/spaces/<uuid:space_id>/people",
    "servers of a space": "/spaces/<uuid:space_id>/servers",
    "activity of a space": "/spaces/<uuid:space_id>/activity",
    "create a data set": "/spaces/<uuid:space_id>/datasets/new",
    "data set": "/datasets/<uuid:dataset_id>",
    "dataset access": "/datasets/<uuid:dataset_id>/access",
    "how to connect": "/datasets/<uuid:dataset_id>/connect",
    "attachments": "/datasets/<uuid:dataset_id>/attachments",
    "contents": "/datasets/<uuid:dataset_id>/contents",
    "lineage": "/datasets/<uuid:dataset_id>/lineage",
    "integrity": "/datasets/<uuid:dataset_id>/integrity",
    "activity of a data set": "/datasets/<uuid:dataset_id>/activity",
    "server": "/servers/<uuid:server_id>",
    "my account": "/account/",
    "staff: spaces": "/staff/spaces",
    "staff: people": "/staff/people",
}


def measure() -> dict[str, object]:
    """Through the real middleware, views and templates of this process. Milliseconds."""
    with control_plane(has_engine=False, django_settings="bench.peer_settings") as place:
        from bench import peer

        crowd, clients = gathered(place)
        pages = {}
        for name, path in PAGES.items():
            client = _who(clients, path)
            pages[name] = _measured(client, crowd.path(path))
            if name in peer.PAGES:
                pages[name]["peer"] = _measured(client, crowd.path(peer.PAGES[name]))
        return {"database": database(), "pages": pages}


def _who(clients: "dict[bool, Any]", path: str) -> Any:
    return clients[path.startswith("/staff/")]


def gathered(place: Place) -> "tuple[Crowd, dict[bool, Any]]":
    """The crowd, and clients in which somebody is signed in: by whether it is staff."""
    from tests.browsers import signed_in
    from tests.crowd import gather
    from tests.world import World

    from strongroom import engines, hosts
    from strongroom.actions import software, ssh_authority
    from strongroom.actions.configuration import settings
    from strongroom.actions.ssh_authority import Authorities
    from strongroom.engines.memory import MemoryEngine
    from strongroom.hosts.memory import MemoryHost
    from strongroom.runtime import secrets, zipapp

    engine, host, home = MemoryEngine(), MemoryHost(), settings().home
    engines.use(lambda: engine)
    hosts.use(lambda: host)
    software.use(zipapp.files)
    ssh_authority.use(Authorities(secrets.ssh_user_ca(home), secrets.ssh_host_ca(home)))
    world = World(engine, place.actor.email)
    crowd = gather(world)
    return crowd, {False: signed_in(crowd.owner), True: signed_in(crowd.staff)}


def _measured(client: Any, path: str) -> dict[str, Any]:
    def get() -> bytes:
        answer = client.get(path, headers={"Host": "localhost"})
        if answer.status_code != 200:
            sys.exit(f"{path} answers {answer.status_code}")
        return bytes(answer.content)

    for _ in range(WARM_UP):
        page = get()
    times, works = zip(*(_timed(get) for _ in range(ROUNDS)), strict=True)
    time_, work = spread(times), spread(works)
    return {"time": time_.shown(1000), "cpu": work.shown(1000), "cpu_median": work.median * 1000, "bytes": len(page)}


def _timed(do: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of the processor for this thread."""
    began = time.thread_time()
    seconds, _ = timed(do)
    return seconds, time.thread_time() - began


if __name__ == "__main__":
    print(json.dumps(measure()))
