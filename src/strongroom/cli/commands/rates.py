"""Bytes a second as people type them."""

import re

import click

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}


class Rate(click.ParamType[float]):
    """Bytes a second: `800kB`, `50MB`, `1.5GB`."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]?)b?(?:/s)?", str(value).strip().lower())
        if not found or not float(found[1]):
            self.fail(f"{value!r} is not a rate like 50MB.", param, ctx)
        return float(found[1]) * _UNITS[found[2]]
