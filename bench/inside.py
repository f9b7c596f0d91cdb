"""This process as a control plane of its own, whose every call of the engine can be counted and timed.

No web server and no worker: what an action does before it answers, and what is left for later, can be told apart.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine_fixture import Running, start_embedded

if TYPE_CHECKING:
    from strongroom.core.actor import Actor
    from strongroom.db.models import Space


DJANGO_SETTINGS = "strongroom.runtime.django_settings"


@dataclass(frozen=True)
class Place:
    """An administrator who owns a high-risk space, and the engine where one runs."""

    actor: "Actor"
    space: "Space"
    running: Running | None


@contextmanager
def control_plane(*, has_engine: bool = True, django_settings: str = DJANGO_SETTINGS) -> Iterator[Place]:
    """Set Django up on a fresh home; the database is the one that STRONGROOM_DATABASE_URL names, or SQLite."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder:
        home = Path(folder) / "home"
        os.environ |= {"STRONGROOM_HOME": str(home), "STRONGROOM_ORG": "test", "STRONGROOM_LOG_LEVEL": "error"}
        os.environ["STRONGROOM_ENGINE"] = "seaweedfs" if has_engine else "memory"
        _set_up(home, django_settings)
        running = start_embedded(home / "engine") if has_engine else None
        try:
            yield _furnished(running)
        finally:
            if running:
                running.stop()


def database() -> str:
    """The database of this process in a word."""
    return "PostgreSQL" if os.environ.get("STRONGROOM_DATABASE_URL") else "SQLite"


def peak_bytes() -> int:
    """The largest resident memory of this process since `forget_peak`. Source: proc(5), VmHWM."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def forget_peak() -> None:
    """Begin anew with `peak_bytes`. Source: proc(5), clear_refs."""
    Path("/proc/self/clear_refs").write_text("5")


def _set_up(home: Path, django_settings: str) -> None:
    import django

    home.mkdir(mode=0o700)
    os.environ["DJANGO_SETTINGS_MODULE"] = django_settings
    django.setup()
    from strongroom.actions import signing, software, ssh_authority
    from strongroom.runtime import migrating, secrets, zipapp

    migrating.migrate()
    signing.use(secrets.signer(home))
    software.use(zipapp.files)
    ssh_authority.use(ssh_authority.Authorities(secrets.ssh_user_ca(home), secrets.ssh_host_ca(home)))


def _furnished(running: Running | None) -> Place:
    from strongroom import engines
    from strongroom.actions import people, spaces
    from strongroom.core.actor import Actor
    from strongroom.core.vocabulary import RiskLevel, StaffRole
    from strongroom.engines.memory import MemoryEngine

    engines.use((lambda: running.engine) if running else MemoryEngine)
    first = people.first_administrator("bench@example.org", "Bench")
    assert first is not None, "the database is not empty"
    actor = Actor(first.person.id, first.person.email, StaffRole.ADMINISTRATOR, address="127.0.0.1", request_id="bench")
    space = spaces.create(actor, name="Bench", risk_level=RiskLevel.HIGH).space
    return Place(actor, space, running)
