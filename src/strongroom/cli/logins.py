"""What a login to a server needs on this machine: a key, its certificate, and what `ssh` is told, in one folder.

`…/strongroom/ssh/<server id>/{key,key-cert.pub,known_hosts,config,login.json}` beside the profiles. The key of a server
is made here and used nowhere else.
"""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.cli import files, problems, profiles
from strongroom.cli.output import Json
from strongroom.core.names import ssh_place

_ACCOUNT = re.compile(r"[a-z][a-z0-9-]{0,31}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SPARE = timedelta(minutes=1)  # a certificate that ends sooner is not begun with


@dataclass(frozen=True)
class Login:
    """A certificate that was issued, and the private key that it belongs to."""

    folder: Path
    identity: Path
    server_id: str
    name: str
    account: str
    host: str
    port: int
    valid_until: datetime

    @property
    def is_good(self) -> bool:
        """Whether it can still be used."""
        return datetime.now(UTC) + _SPARE < self.valid_until and (self.folder / "key-cert.pub").exists()

    def words(self) -> list[tuple[str, str]]:
        """What `ssh` is told, keyword by keyword. Source: ssh_config(5)."""
        return [
            ("HostName", self.host),
            ("Port", str(self.port)),
            ("User", self.account),
            ("HostKeyAlias", self.server_id),
            ("UserKnownHostsFile", _quoted(self.folder / "known_hosts")),
            ("StrictHostKeyChecking", "yes"),
            ("UpdateHostKeys", "no"),
            ("IdentityFile", _quoted(self.identity)),
            ("CertificateFile", _quoted(self.folder / "key-cert.pub")),
            ("IdentitiesOnly", "yes"),
            ("PreferredAuthentications", "publickey"),
            ("ForwardAgent", "no"),
        ]


def root(environ: Mapping[str, str]) -> Path:
    """Where all logins lie."""
    return profiles.path(environ).parent / "ssh"


def load(environ: Mapping[str, str], server_id: str) -> Login | None:
    """What was kept of an earlier login to the server."""
    folder = root(environ) / server_id
    try:
        kept = json.loads((folder / "login.json").read_text(encoding="utf-8"))
        return _login(kept, folder, Path(kept["identity"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def public_key(environ: Mapping[str, str], server_id: str, identity: Path | None) -> tuple[Path, str]:
    """The private key for a server, made where there is none, and the line of its public half. Raises Problem."""
    private = identity or root(environ) / server_id / "key"
    public = private.with_name(private.name + ".pub")
    if identity is None and not private.exists():
        private.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        made = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        files.write_private(public, f"{line.decode()} strongroom\n")
        files.write_private(private, made.decode())
    if not public.exists():
        raise problems.usage(f"There is no {public}.", "Make it with `ssh-keygen -y -f KEY > KEY.pub`.")
    return private, public.read_text(encoding="utf-8").strip()


def keep(environ: Mapping[str, str], issued: Json, identity: Path, renewal: str) -> Login:
    """Write what was issued where `ssh` finds it; `renewal` is the command line that renews it.

    Raises: ValueError for an answer that cannot stand in a configuration of `ssh`.
    """
    folder = root(environ) / str(UUID(issued["server_id"]))
    login = _login(issued, folder, identity.absolute())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_private(folder / "key-cert.pub", issued["certificate"] + "\n")
    files.write_private(folder / "known_hosts", issued["known_hosts"] + "\n")
    files.write_private(folder / "config", block(environ, login, renewal))
    kept = {**issued, "identity": str(login.identity)}
    del kept["certificate"]
    files.write_private(folder / "login.json", json.dumps(kept, indent=1) + "\n")
    return login


def block(environ: Mapping[str, str], login: Login, renewal: str) -> str:
    """Lines for `~/.ssh/config`, so that plain `ssh NAME` works, with a certificate that is renewed when it ends.

    Two servers of one name: the one that was here first has it; both go by their ids.
    """
    names = " ".join([login.name] * (not _is_taken(environ, login)) + [login.server_id])
    lines = [f"    {keyword} {value}" for keyword, value in login.words()]
    said = renewal.replace("%", "%%")
    return "\n".join(
        [f'Match originalhost {names.replace(" ", ",")} exec "{said}"', "", f"Host {names}", *lines, "Match all", ""]
    )


def renewal(server_id: str, profile: str) -> str:
    """The command line that renews a login without asking anything."""
    program = shutil.which("strongroom") or str(Path(sys.argv[0]).absolute())
    own = [] if profile == profiles.DEFAULT else ["--profile", profile]
    return shlex.join([Path(program).as_posix(), "ssh", server_id, "--renew", *own])


def include(environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Have `~/.ssh/config` read all logins; that file, and whether it had to be changed."""
    file = Path.home() / ".ssh" / "config"
    line = f"Include {_quoted(root(environ) / '*' / 'config')}"
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if line in before.splitlines():
        return file, False
    file.parent.mkdir(mode=0o700, exist_ok=True)
    # At the top: below a `Host` it would count for that host alone.
    files.write_private(file, f"{line}\n\n{before}" if before else f"{line}\n")
    return file, True


def _login(issued: Json, folder: Path, identity: Path) -> Login:
    """The parts that stand on a command line or in a configuration, each looked at. Raises ValueError."""
    place, port = ssh_place(f"[{issued['host']}]" if ":" in issued["host"] else issued["host"])
    if not _ACCOUNT.fullmatch(issued["account"]) or not _NAME.fullmatch(issued["server_name"]):
        raise ValueError("the server gave a name that cannot stand in a configuration of ssh")
    return Login(
        folder=folder,
        identity=identity,
        server_id=str(UUID(issued["server_id"])),
        name=issued["server_name"],
        account=issued["account"],
        host=place,
        port=int(issued["port"] or port),
        valid_until=datetime.fromisoformat(issued["valid_until"]),
    )


def _is_taken(environ: Mapping[str, str], login: Login) -> bool:
    others = [each for each in root(environ).glob("*/login.json") if each.parent != login.folder]
    return any(
        found.name == login.name and login.name in _hosts(found.folder / "config")
        for found in (load(environ, each.parent.name) for each in others)
        if found is not None
    )


def _hosts(config: Path) -> list[str]:
    try:
        lines = config.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [name for line in lines if line.startswith("Host ") for name in line.split()[1:]]


def _quoted(path: Path) -> str:
    # Forward slashes are understood on Windows too; a backslash would be an escape.
    return '"' + path.as_posix().replace("%", "%%") + '"'
