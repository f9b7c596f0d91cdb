"""How addresses of clients are written, so that two ways to write the same one are the same."""

from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address


def plain_address(text: str) -> Address:
    """One address; an IPv4 address inside IPv6 (`::ffff:10.0.0.1`) as itself.

    Raises: ValueError for what is no IP address.
    """
    found = ip_address(text)
    return getattr(found, "ipv4_mapped", None) or found
