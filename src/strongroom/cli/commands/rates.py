"""Bytes a second as an option."""

import click

from strongroom.movers import limiting


class Rate(click.ParamType[float]):
    """Bytes a second: `800kB`, `50MB`, `1.5GB`."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        try:
            return limiting.rate(str(value))
        except ValueError as problem:
            self.fail(f"{problem}.", param, ctx)
