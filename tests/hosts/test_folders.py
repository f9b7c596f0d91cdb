"""The folders of servers on the host: no two have the same ids."""

import os
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from strongroom.hosts.podman import folders
from strongroom.hosts.podman.folders import Made


def test_servers_that_are_made_at_once_have_ids_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "chown", lambda *_: None)  # only root may
    home = tmp_path / "servers"

    def make(number: int) -> None:
        server_id = uuid4()
        with folders.choosing(home):
            owner = folders.free_owner(home)
            time.sleep(0.02)
            folders.of(home, server_id).make(Made(str(server_id), f"server-{number}", "small", 9500 + number, owner))

    makers = [threading.Thread(target=make, args=(number,)) for number in range(6)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    owners = sorted(made.owner or 0 for _, made in folders.every(home))
    assert owners == [folders.FIRST_ID + number * folders.IDS for number in range(6)]
