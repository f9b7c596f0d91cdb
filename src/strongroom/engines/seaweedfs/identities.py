"""Who has a key: one small file for each principal, which the gateways follow.

The engine's own interface for users reads and writes all of them whenever one changes, and knows a user apart from
the user's key. Here both are one file that is written at once, as that interface would leave it.
Source: observation of SeaweedFS 4.48, `/etc/iam/identities` (the credential store `filer_etc`).
"""

import json
import secrets
import string

from strongroom.engines.seaweedfs.configuration import KeyPair
from strongroom.engines.seaweedfs.filer import Filer

_FOLDER = "/etc/iam/identities"
_ID_LETTERS, _SECRET_LETTERS = string.ascii_uppercase + "234567", string.ascii_letters + string.digits


def create(filer: Filer, principal: str) -> KeyPair:
    """One request: the principal with one new key and no other. Gateways follow within milliseconds."""
    pair = KeyPair(f"AKIA{_random(_ID_LETTERS, 16)}", _random(_SECRET_LETTERS, 40))
    key = {"access_key": pair.access_key_id, "secret_key": pair.secret, "status": "Active"}
    filer.write(_FOLDER, _file(principal), json.dumps({"name": principal, "credentials": [key]}, indent=2).encode())
    return pair


def key_ids(filer: Filer, principal: str) -> list[str]:
    """One request: the ids of the keys; [] for who is not known."""
    content = filer.read(_FOLDER, _file(principal))
    return [each["access_key"] for each in json.loads(content)["credentials"]] if content else []


def remove(filer: Filer, principal: str) -> None:
    """One request; gone already is fine."""
    filer.remove(_FOLDER, _file(principal))


def _file(principal: str) -> str:
    if "/" in principal:
        raise ValueError(f"{principal!r} cannot be the name of a principal")
    return f"{principal}.json"


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
