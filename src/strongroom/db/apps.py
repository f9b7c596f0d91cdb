"""Names the Django application."""

from django.apps import AppConfig


class DbConfig(AppConfig):
    """The one application that has tables."""

    name = "strongroom.db"
    label = "strongroom"
    default_auto_field = "django.db.models.BigAutoField"
