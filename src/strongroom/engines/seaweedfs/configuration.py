"""What the engine reads at its start: keys made once, and the files that hold them."""

import json
import secrets
from dataclasses import asdict, dataclass

from strongroom.core.errors import Unavailable
from strongroom.core.sentences import say
from strongroom.engines.seaweedfs.certificates import COMMON_NAME, make_certificates
from strongroom.engines.seaweedfs.files import make_private, write_private
from strongroom.engines.seaweedfs.settings import ADMIN_KEY_PREFIX, SeaweedSettings

_COMPONENTS = ("master", "volume", "filer", "s3", "admin", "worker", "msg_broker", "msg_agent", "mq", "client")

# Relative paths: every process of the engine has its home as working directory, which may be moved.
# No [https.volume] and no [https.client]: with them the engine fails to decrypt ranges and large objects.
_SECURITY = """\
[access]
ui = false
[filer.expose_directory_metadata]
enabled = false
[jwt.signing]
key = "{volume_write}"
[jwt.signing.read]
key = "{volume_read}"
# Signs the sessions of servers, too: whoever has it can be any server.
[jwt.filer_signing]
key = "{filer_write}"
[jwt.filer_signing.read]
key = "{filer_read}"
# Encrypts the keys of all objects. Without it nothing can be read again: keep a copy apart from the data.
[s3.sse]
kek = "{kek}"
[grpc]
ca = "certs/ca.crt"
"""
_COMPONENT = """\
[grpc.{component}]
cert = "certs/weed.crt"
key = "certs/weed.key"
allowed_commonNames = "{common_name}"
"""
# One volume to begin with in every bucket (the engine's own default is seven), so that thousands fit. The
# scripts are what the engine would run by itself every 17 minutes: none of them moves or drops data.
_MASTER = """\
[master.volume_growth]
copy_1 = 1
[master.maintenance]
scripts = \"\"\"
  lock
  fs.log.purge -daysAgo=7
  unlock
\"\"\"
sleep_minutes = 360
"""


@dataclass(frozen=True)
class KeyPair:
    """An access key of the control plane."""

    access_key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyPair({self.access_key_id[:8]!r}…)"


@dataclass(frozen=True)
class Credentials:
    """The administrator's key, and whether the first start was finished with it."""

    admin: KeyPair
    is_prepared: bool = False


def make_configuration(settings: SeaweedSettings) -> Credentials:
    """Everything the processes need, made at the first start and kept from then on.

    Raises: Unavailable when there is data, but the keys to it are gone.
    """
    make_private(settings.home)
    make_private(settings.home / "data")
    _refuse_lost_keys(settings)
    make_certificates(settings.home / "certs")
    if not settings.security_file.exists():
        write_private(settings.security_file, _security().encode())
    write_private(settings.home / "master.toml", _MASTER.encode())
    if not settings.credentials_file.exists():
        admin = KeyPair(ADMIN_KEY_PREFIX + secrets.token_hex(6), secrets.token_urlsafe(32))
        save_credentials(settings, Credentials(admin))
    return load_credentials(settings)


def load_credentials(settings: SeaweedSettings) -> Credentials:
    """The administrator's key.

    Raises: Unavailable before the first start.
    """
    try:
        stored = json.loads(settings.credentials_file.read_text())
    except FileNotFoundError:
        raise Unavailable(
            say(
                "The storage engine was never started: {file} is not there.",
                file=settings.credentials_file,
            ),
            way_out=say("Start it with `make up`."),
        ) from None
    return Credentials(KeyPair(**stored["admin"]), stored.get("is_prepared", False))


def save_credentials(settings: SeaweedSettings, credentials: Credentials) -> None:
    """Keep them."""
    write_private(settings.credentials_file, json.dumps(asdict(credentials), indent=2).encode())


def _security() -> str:
    keys = {name: secrets.token_hex(32) for name in ("volume_write", "volume_read", "filer_write", "filer_read", "kek")}
    parts = [_COMPONENT.format(component=each, common_name=COMMON_NAME) for each in _COMPONENTS]
    return _SECURITY.format(**keys) + "".join(parts)


def _refuse_lost_keys(settings: SeaweedSettings) -> None:
    """New keys over old data would mix what can be read with what cannot."""
    has_data = any(any((settings.home / each.folder).iterdir()) for each in settings.storages)
    if has_data and not settings.security_file.exists():
        raise Unavailable(
            say(
                "{file} is gone, and with it the key to all data in {home}.",
                file=settings.security_file,
                home=settings.home / "data",
            ),
            way_out=say("Put {file} back from the backup, then start again.", file=settings.security_file),
        )
