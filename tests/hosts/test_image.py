"""The recipe of the image of created servers."""

from strongroom.hosts.podman.image import with_security


def test_security_updates_come_from_beside_the_mirror_that_was_used() -> None:
    made = with_security("deb https://mirror.example.org/debian bookworm main\n")
    assert made.splitlines() == [
        "deb https://mirror.example.org/debian bookworm main",
        "deb https://mirror.example.org/debian-security bookworm-security main",
    ]
