"""Create, upload with every client, attach, finalize, and see every further request refused by the store."""

import time
from pathlib import Path

import httpx

from tests.journeys import story
from tests.journeys.clients import Machine
from tests.journeys.story import Told
from tests.journeys.system import System, running
from tests.postgres import cluster

BIG_BYTES = 300_000_000


def _told(system: System, folder: Path, *, big_bytes: int) -> tuple[str, int]:
    """The link to the agreement, and what it answered once the data set was finalized."""
    study = system.study()
    told = Told(system, study, Machine(folder / "machine", study))
    story.upload(told, files=200, big_bytes=big_bytes)
    story.compare(told)
    link = story.attach(told)
    shown = story.finalize(told)
    opened = httpx.get(link, timeout=60).status_code
    before = system.listing(study.repository)
    story.prove(told, shown)
    story.try_everything(told)
    assert system.listing(study.repository) == before
    assert len([key for key in before if not key.startswith("_attachments/")]) == len(told.uploaded)
    assert system.administrator.get("/audit/verify")["is_intact"]
    return link, opened


def test_the_whole_story_with_every_client(strongroom: System, tmp_path: Path) -> None:
    link, opened = _told(strongroom, tmp_path, big_bytes=BIG_BYTES)
    assert "X-Amz-Expires=300&" in f"{link}&"
    assert opened == 200


def test_the_whole_story_on_postgresql_and_a_link_that_runs_out(tmp_path: Path) -> None:
    with cluster() as url, running(tmp_path, database_url=url, attachment_link_seconds="10") as system:
        assert "PostgreSQL" in system.door.output
        link, _ = _told(system, tmp_path, big_bytes=20_000_000)
        deadline = time.monotonic() + 60
        while httpx.get(link, timeout=60).status_code == 200 and time.monotonic() < deadline:
            time.sleep(0.5)
        assert httpx.get(link, timeout=60).status_code == 403
