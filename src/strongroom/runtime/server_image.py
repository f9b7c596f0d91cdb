"""Builds the image that created servers are made from, ahead of the first one."""

from collections.abc import Callable

from strongroom.core.errors import Conflict
from strongroom.core.sentences import say
from strongroom.core.settings import Settings
from strongroom.hosts.podman import image
from strongroom.hosts.podman.command import Podman


def build(settings: Settings, *, debootstrap: bool, again: bool, tell: Callable[[str], None]) -> str:
    """The name of the image, which is there then. Raises: Conflict, Unavailable."""
    if settings.server_host != "podman":
        raise Conflict(
            say("Servers are made with {host}, which needs no image.", host=settings.server_host),
            way_out=say("Set STRONGROOM_SERVER_HOST=podman."),
        )
    podman = Podman(settings.podman)
    image.build(podman, settings.server_base_image, debootstrap=debootstrap, again=again, tell=tell)
    return image.tag()
