"""The peer's address: what a proxy says counts only where the operator trusts that proxy."""

import pytest

from strongroom.runtime.middleware import believe_proxies

TRUSTED = ("10.0.0.0/8", "fd00::1/128")


@pytest.mark.parametrize(
    ("peer", "forwarded", "believed"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_nearest_address_that_is_no_trusted_proxy_is_the_peer(peer: str, forwarded: str, believed: str) -> None:
    meta = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
    believe_proxies(meta, TRUSTED)
    assert meta["REMOTE_ADDR"] == believed


@pytest.mark.parametrize(("peer", "scheme"), [("10.0.0.1", "https"), ("203.0.113.9", "http")])
def test_https_is_believed_of_trusted_proxies_only(peer: str, scheme: str) -> None:
    meta = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_PROTO": "https", "wsgi.url_scheme": "http"}
    believe_proxies(meta, TRUSTED)
    assert meta["wsgi.url_scheme"] == scheme
