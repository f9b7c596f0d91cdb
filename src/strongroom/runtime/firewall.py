"""The rules by which a machine lets only the operating user reach the engine's inner ports; refuses to load them.

Source: nft(8), "META EXPRESSIONS": `skuid` is the user who made the socket that a packet comes from.
"""

import os
import pwd
from pathlib import Path

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say
from strongroom.core.settings import ENGINE_PORTS

_TABLE = """\
# Only {user} (uid {uid}) reaches the inner ports of Strongroom's storage engine. Load it as root: nft -f FILE
# Take it away again: nft delete table inet {name}
table inet {name} {{
}}
delete table inet {name}
table inet {name} {{
    chain output {{
        type filter hook output priority filter; policy accept;
        oifname "lo" tcp dport {first}-{last} meta skuid != {uid} counter reject with tcp reset
    }}
}}
"""


def table(home: Path, first: int, user: str = "") -> str:
    """A table for `nft -f`, which may be loaded again and again: for the inner ports from `first` on.

    `user`: default is who owns the home, or whoever asks where there is none yet.

    Connections over the loopback are judged where they begin, by who begins them. Root is refused like others, unless
    Strongroom runs as root: whoever is root can take the rules away.
    Raises: Invalid for a user who does not exist.
    """
    uid = _uid(user) if user else home.stat().st_uid if home.exists() else os.geteuid()
    return _TABLE.format(
        user=_name(uid), uid=uid, name=f"strongroom_{first}", first=first, last=first + ENGINE_PORTS - 1
    )


def _uid(user: str) -> int:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise Invalid(
            say("There is no user {user} on this machine.", user=user),
            way_out=say("Name the one whom Strongroom runs as."),
        ) from None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "the operating user"
