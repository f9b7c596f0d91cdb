"""`python -m bench [SECTION …]`: measures everything (or these sections) and writes docs/reference/performance.md.

The figures of the last run of each section are kept in bench/figures.json, from which the page is made.
"""

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.postgres import cluster

from bench import machine, page

KEPT = Path(__file__).with_name("figures.json")
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "performance.md"
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
SECTIONS = {
    "control": (SQLITE, POSTGRESQL),
    "keys": (SQLITE,),
    "repositories": (SQLITE,),
    "requests": (SQLITE, POSTGRESQL),
    "manifests": (SQLITE,),
    "cut": (SQLITE,),
    "grants": (SQLITE, POSTGRESQL),
    "pages": (SQLITE, POSTGRESQL),
    "console": (SQLITE,),
    "painting": (SQLITE,),
    "ledgers": (SQLITE, POSTGRESQL),
    "mounts": (SQLITE,),
    "agent": (SQLITE,),
    "transfers": (SQLITE,),
}


def main(wanted: list[str]) -> int:
    """Run the sections and write the page; 2 for a section that does not exist."""
    if unknown := set(wanted) - set(SECTIONS):
        print(f"There is no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}.", file=sys.stderr)
        return 2
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for name in wanted or SECTIONS:
        for database in SECTIONS[name]:
            kept[f"{name} {database}"] = _section(name, database)
            KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    PAGE.write_text(page.markdown(kept, SECTIONS), encoding="utf-8")
    print(f"Written to {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")
    return 0


def _section(name: str, database: str) -> dict[str, object]:
    print(f"{name} on {database} … ", end="", flush=True)
    began = time.monotonic()
    with _environment(database) as environ:
        busy = machine.load()
        command = [sys.executable, "-m", f"bench.{name}"]
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    print(f"{time.monotonic() - began:.0f} s")
    day = datetime.now(UTC).date().isoformat()
    return {**json.loads(done.stdout), "day": day, "machine": machine.words(), "busy": busy}


@contextmanager
def _environment(database: str) -> Iterator[dict[str, str]]:
    """A fresh database, which waits for the disk as it would in life."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith("STRONGROOM_")}
    # The clients that are measured were installed beside this program, whatever else the machine has.
    mine["PATH"] = os.pathsep.join((sysconfig.get_path("scripts"), mine.get("PATH", os.defpath)))
    if database == SQLITE:
        yield mine
        return
    with cluster(is_durable=True) as url:
        yield {**mine, "STRONGROOM_DATABASE_URL": url}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
