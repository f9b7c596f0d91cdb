"""The settings of this process, as actions see them."""

from django.conf import settings as django_settings

from strongroom.core.settings import Settings


def settings() -> Settings:
    """The one frozen settings object, read once at start."""
    found: Settings = django_settings.STRONGROOM
    return found
