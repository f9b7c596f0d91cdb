"""Collects what is to be translated: what the console says itself, and the sentences of the packages that it shows.

python -m strongroom.console.collecting -l de          (and once more with -d djangojs, for the scripts)

It is Django's `makemessages`, told what makes a sentence (`core.sentences`), and goes through all packages but those
that speak English only, and what others wrote.
"""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.commands import makemessages

LOCALE = Path(__file__).parent / "locale"
LEFT_OUT = ("agent", "cli", "db", "movers", "vendor")


class Command(makemessages.Command):
    """The third argument of a setting is its line for people."""

    xgettext_options = [  # noqa: RUF012 - Django's own form, read once
        *makemessages.Command.xgettext_options,
        "--keyword=say",
        "--keyword=say_many:1,2",
        "--keyword=setting:3",
    ]


def main() -> None:
    """Update the catalogue in `console/locale`, whatever folder this is started in."""
    settings.configure(LOCALE_PATHS=[str(LOCALE)])
    os.chdir(LOCALE.parents[1])
    ignored = [f"--ignore={each}" for each in LEFT_OUT]
    Command().run_from_argv(["strongroom", "makemessages", *ignored, *sys.argv[1:]])


if __name__ == "__main__":
    main()
