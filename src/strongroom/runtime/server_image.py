"""Builds the image that created servers are made from, ahead of the first one."""

from collections.abc import Callable

from strongroom.core.errors import Conflict
from strongroom.core.settings import Settings
from strongroom.hosts.podman import image
from strongroom.hosts.podman.command import Podman


def build(settings: Settings, *, debootstrap: bool, again: bool, say: Callable[[str], None]) -> str:
    """The name of the image, which is there then. Raises: Conflict, Unavailable."""
    if settings.server_host != "podman":
        raise Conflict(
            f"Servers are made with {settings.server_host}, which needs no image.",
            way_out="Set STRONGROOM_SERVER_HOST=podman.",
        )
    podman = Podman(settings.podman)
    image.build(podman, settings.server_base_image, debootstrap=debootstrap, again=again, say=say)
    return image.tag()
