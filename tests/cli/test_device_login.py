"""`strongroom login` without a code: a browser lets the terminal in, or turns it away."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from tests.browsers import in_browser
from tests.cli.live import Terminal

from strongroom.actions import devices
from strongroom.cli.exits import Exit
from strongroom.core.actor import Actor
from strongroom.db.models import DeviceLogin


def _once_one_waits(decide: Callable[[DeviceLogin], object]) -> threading.Thread:
    """Somebody at a browser, who sees a terminal wait."""

    def work() -> None:
        until = timezone.now() + timedelta(seconds=60)
        while timezone.now() < until:
            waiting = DeviceLogin.objects.filter(approved_at=None, denied_at=None).first()
            if waiting is not None:
                decide(waiting)
                break
            time.sleep(0.05)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_terminal_is_let_in_by_a_browser(terminal: Terminal) -> None:
    ada = in_browser(terminal.world.person("ada"))
    browser = _once_one_waits(lambda waiting: devices.approve(ada, waiting.id))
    result = terminal("login", terminal.url, "--profile", "ada")
    browser.join()
    assert result.exit_code == Exit.OK, result.output
    assert "/account/device?code=" in result.stderr
    assert ada.email in terminal.ok("whoami", "--profile", "ada")


def test_a_terminal_that_is_turned_away_says_so(terminal: Terminal) -> None:
    ada: Actor = in_browser(terminal.world.person("ada"))
    browser = _once_one_waits(lambda waiting: devices.deny(ada, waiting.id))
    result = terminal("login", terminal.url, "--profile", "ada")
    browser.join()
    assert result.exit_code == Exit.FORBIDDEN
    assert "turned down" in result.stderr
