"""Inside a server the two places have the URLs that they have outside."""

import pytest

from strongroom.hosts.podman.doors import Door, doors

GATEWAY, CONTROL_PLANE = "gateway.sock", "control-plane.sock"


def test_a_loopback_address_is_listened_on_as_it_is() -> None:
    assert doors("http://127.0.0.1:9400", "http://[::1]:8400") == [
        Door(GATEWAY, "127.0.0.1:9400", "127.0.0.1:9400"),
        Door(CONTROL_PLANE, "[::1]:8400", "[::1]:8400"),
    ]


def test_a_name_gets_an_address_of_its_own_so_that_both_may_be_at_one_port() -> None:
    assert doors("https://s3.example.org", "https://strongroom.example.org") == [
        Door(GATEWAY, "127.0.77.1:443", "s3.example.org:443", name="s3.example.org"),
        Door(CONTROL_PLANE, "127.0.77.2:443", "strongroom.example.org:443", name="strongroom.example.org"),
    ]


def test_one_name_has_one_address() -> None:
    first, second = doors("https://example.org:9000", "https://example.org")
    assert (first.listen, second.listen) == ("127.0.77.1:9000", "127.0.77.1:443")


def test_one_place_has_one_door() -> None:
    assert [door.socket for door in doors("https://example.org", "https://example.org")] == [GATEWAY]


@pytest.mark.parametrize(
    ("url", "listen", "address"),
    [
        ("http://192.0.2.7:9400", "192.0.2.7:9400", "192.0.2.7/32"),
        ("http://[2001:db8::7]", "[2001:db8::7]:80", "2001:db8::7/128"),
    ],
)
def test_another_address_is_put_on_the_loopback(url: str, listen: str, address: str) -> None:
    assert doors(url, "http://localhost:8400") == [
        Door(GATEWAY, listen, listen, address=address),
        Door(CONTROL_PLANE, "127.0.0.1:8400", "localhost:8400"),
    ]
