"""Paths of the API; knows nothing of how it is spoken with."""

from urllib.parse import quote


def path(*parts: object) -> str:
    """A path below the API's root, every part quoted."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)
