"""Reads the settings of this process from its environment, and passes them on to processes it starts."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from strongroom.core.settings import PREFIX, Settings


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings, with every path made absolute.

    Raises: Invalid naming the variable, its value and the way out.
    """
    settings = Settings.from_environ(os.environ if environ is None else environ)
    changes: dict[str, Any] = dict(_absolute_paths(settings))  # one type per field, all of them paths
    return dataclasses.replace(settings, **changes)


def for_children(settings: Settings) -> dict[str, str]:
    """The environment of a process that must see the same settings, whatever folder it runs in."""
    paths = {PREFIX + name.upper(): str(path) for name, path in _absolute_paths(settings).items()}
    found = {**os.environ, **paths, "PYTHONUNBUFFERED": "1"}
    if "PYTHONPATH" in found:
        found["PYTHONPATH"] = os.pathsep.join(
            str(Path(each).absolute()) for each in found["PYTHONPATH"].split(os.pathsep)
        )
    return found


def _absolute_paths(settings: Settings) -> dict[str, Path]:
    values = {each.name: getattr(settings, each.name) for each in dataclasses.fields(settings)}
    return {name: value.absolute() for name, value in values.items() if isinstance(value, Path)}
