"""The web server process: granian, told what the settings say."""

import gc
import multiprocessing
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server.common import AbstractServer

from strongroom.core.settings import Settings
from strongroom.runtime import launch

if TYPE_CHECKING:
    from django.core.handlers.wsgi import WSGIHandler

_BACKLOG = 1024
_ENDING = (signal.SIGTERM, signal.SIGINT)
_WAKE_SECONDS = 0.2


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished."""
    # Loaded once, for all: the workers are forked from this process.
    from strongroom.runtime.wsgi import application

    multiprocessing.set_start_method("fork")
    # From here on `_end_when_told` hears of them. A closed terminal is the supervisor's; granian would load all anew.
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_ENDING, signal.SIGHUP))
    os.register_at_fork(after_in_child=_obey)
    gc.freeze()
    server = os.getpid()

    def load(_: str) -> "WSGIHandler":
        """What a worker serves; the kernel ends it with this process, which could not when it is killed."""
        launch.die_with_parent(server)
        _wake_for_the_end()
        return application

    granian = Granian(
        "strongroom.runtime.wsgi:application",
        address=settings.web_host,
        port=settings.web_port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads,
        backlog=_BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        respawn_failed_workers=True,
        workers_kill_timeout=15,
        log_access=False,
    )
    threading.Thread(target=_end_when_told, args=(granian,), name="end when told", daemon=True).start()
    granian.serve(target_loader=load)


def _end_when_told(granian: AbstractServer[Any]) -> None:
    """Wait for a signal to end the server, which is blocked in all other threads.

    In a handler it may come to nothing: Python runs that in the main thread once it wakes, which a signal just before
    it waits does not bring about; and granian's sets an event, whose lock the main thread may hold at this moment.
    """
    signal.sigwait(_ENDING)
    while True:  # it forgets that it was told when a worker ends at this moment
        granian.signal_handler_interrupt()  # type: ignore[no-untyped-call]
        time.sleep(_WAKE_SECONDS)


def _obey() -> None:
    """Forked, a worker has the server's handlers, which would only make a note of a signal, until it sets its own:
    from its first moment to then a signal ends it. What came before that moment waited, for it was blocked.
    """
    for each in _ENDING:
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _wake_for_the_end() -> None:
    """Have the main thread of this worker woken again and again once a signal to end it has come.

    Granian's main thread waits for a lock, and Python runs the handler in that thread alone, once it wakes: a signal
    that another thread took, or that came just before the wait began, would wake nobody, and the worker would be killed
    with the requests that it serves. What wakes it is another signal: two of the same would block granian's handler.

    Source: `signal`, "Execution of Python signal handlers", and `set_wakeup_fd`, which hears of every signal at once.
    """

    def ignore_further(*_: object) -> None:
        for each in _ENDING:
            signal.signal(each, signal.SIG_IGN)

    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGURG, ignore_further)
    main = threading.get_ident()

    def wake() -> None:
        while os.read(reading, 1)[0] not in _ENDING:
            pass
        while True:
            signal.pthread_kill(main, signal.SIGURG)
            time.sleep(_WAKE_SECONDS)

    threading.Thread(target=wake, name="wake for the end", daemon=True).start()
