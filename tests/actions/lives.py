"""One life of a process that is killed at a chosen moment, and what must be true after the restart."""

from collections.abc import Callable

from django.db import transaction

from strongroom import engines
from tests.actions.mortal import Fate, MortalEngine
from tests.actions.rules import work
from tests.world import World


def live_and_die(
    world: World, deed: Callable[[], object], after: Callable[[bool], None], *, ends_at: int | None
) -> list[str]:
    """The moments of one life; `after` is told whether the deed had answered. Rows and engine are then as before."""
    fate, before, has_answered = Fate(), world.engine, False
    world.engine = mortal = MortalEngine(fate, before)
    engines.use(lambda: mortal)
    with transaction.atomic():
        with fate.lives(ends_at):
            deed()
            has_answered = True
            while work():
                pass
        try:
            after(has_answered)
        except BaseException as problem:
            problem.add_note(f"after the death at moment {ends_at} of {fate.moments}")
            raise
        transaction.set_rollback(True)
    world.engine = before
    engines.use(lambda: before)
    return fate.moments
