"""Names the Django application, whose templates and static files are found by it."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """It has no tables."""

    name = "strongroom.console"
    label = "console"
