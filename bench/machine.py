"""What the figures were taken on, without its name or its paths."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path


def words() -> str:
    """Processor, memory, system, Python, engine, database server."""
    parts = [
        f"{os.cpu_count()} cores ({_processor()})",
        f"{_memory_gb():.0f} GB memory",
        f"Linux {platform.release().split('-')[0]}",
        f"Python {platform.python_version()}",
        f"SeaweedFS {_said(str(Path(sys.executable).with_name('weed')), 'version')[2]}",
        f"PostgreSQL {_said(_postgres(), '--version')[2]}",
    ]
    return ", ".join(parts)


def load() -> float:
    """How many processes wanted a core in the last minute: the machine may be shared."""
    return round(os.getloadavg()[0], 1)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _postgres() -> str:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return shutil.which("postgres") or (str(found[-1]) if found else "postgres")


def _said(*command: str) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ["", "", "(not installed)"]
    found = done.stdout.split()
    return ["", "", next((word for word in found if word[0].isdigit() and "." in word), "?")]
