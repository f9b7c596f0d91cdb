"""The web server process: granian, told what the settings say."""

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from strongroom.core.settings import Settings

_BACKLOG = 1024


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished."""
    Granian(
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
    ).serve()
