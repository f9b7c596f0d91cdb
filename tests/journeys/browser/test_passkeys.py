"""Passkeys with a real browser, whose authenticator is virtual: added, signed in with, proved, removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.journeys.system import System, running
from tests.runtime.front_door import free_ports

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """At the name `localhost`: browsers offer no passkeys at a bare address."""
    with running(tmp_path_factory.mktemp("passkeys"), web_host="localhost") as found:
        yield found
