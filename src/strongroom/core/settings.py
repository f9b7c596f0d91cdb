"""Every setting of Strongroom, with its default, its unit and what it means; refuses to know where values come from.

A setting is one field of `Settings`. Its variable is `STRONGROOM_` and the field's name in capitals, so `web_port`
is `STRONGROOM_WEB_PORT`. The reference page is generated from the same fields.
"""

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.core import setting_values as values
from strongroom.core.errors import Invalid
from strongroom.core.sentences import Sentence, quoted, say
from strongroom.core.setting_ports import refuse_taken_ports
from strongroom.core.setting_values import setting
from strongroom.core.signon_settings import SignOnSettings

PREFIX = "STRONGROOM_"
ENGINE_PORTS = 20
"""How many ports in a row the parts of the embedded engine may take from `engine_port` on."""
STORAGE_PROCESSES = 5
"""Between how many processes the embedded engine's objects may be shared out; more ports there are not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A setting as the reference page shows it. `default` is the text one would write into the environment."""

    variable: str
    default: str
    unit: str
    doc: Sentence


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting with the value it has, as text; that of a secret one is hidden. `is_set`: it is not the default."""

    variable: str
    value: str
    is_set: bool
    is_secret: bool
    unit: str
    doc: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(SignOnSettings):
    """What the operator decided, read once at the start of a process. Sizes are bytes; times say their unit."""

    # Where things are
    home: Path = setting("./var", "folder", "Holds all state: database, secrets, objects, logs.", values.path)
    org: str = setting("ss", "word", "Short name of the organization; part of every bucket's name.", values.org)
    database_url: str = setting(
        "",
        "URL",
        "`postgresql://user:password@host:5432/name`, or empty for an SQLite file in the home.",
        values.database_url,
        is_secret=True,
    )

    # Web
    web_host: str = setting("127.0.0.1", "address", "Address the web server listens on.", values.host)
    web_port: int = setting("8400", "port", "Port the web server listens on.", values.port)
    web_workers: int = setting("2", "processes", "Web processes.", values.whole(1, 64))
    web_threads: int = setting("4", "threads", "Requests that one web process answers at a time.", values.whole(1, 64))
    public_url: str = setting(
        "", "URL", "Where people reach the web server; empty: `http://` and the address above.", values.url
    )
    allowed_hosts: tuple[str, ...] = setting(
        "",
        "names, comma between",
        "Further `Host` names to answer to, besides that of the public URL and this machine's own.",
        values.hosts,
    )
    trusted_proxies: tuple[str, ...] = setting(
        "",
        "networks, comma between",
        "Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, such as `10.0.0.5,10.1.0.0/16`.",
        values.networks,
    )

    # Storage engine
    engine: str = setting(
        "seaweedfs",
        "word",
        "`seaweedfs`: embedded, kept in the home. `memory`: forgets everything, for tests only.",
        values.one_of("seaweedfs", "memory"),
    )
    weed: Path | None = setting("", "file", "The `weed` program; empty: the one of the locked package.", values.file)
    region: str = setting("us-east-1", "word", "Region that S3 clients sign for.", values.word)
    gateway_host: str = setting("127.0.0.1", "address", "Address the public S3 gateway listens on.", values.host)
    gateway_port: int = setting("9400", "port", "Port the public S3 gateway listens on.", values.port)
    gateway_url: str = setting(
        "", "URL", "Where S3 clients reach the public gateway; empty: the scheme and address above.", values.url
    )
    gateway_tls_cert: Path | None = setting(
        "", "file", "Certificate chain (PEM) of the public gateway; empty: plain HTTP.", values.file
    )
    gateway_tls_key: Path | None = setting("", "file", "Private key (PEM) to that certificate.", values.file)
    upload_origins: tuple[str, ...] = setting(
        "",
        "URLs, comma between",
        "Further addresses of the console whose pages may upload to the gateway; that of the public URL always may.",
        values.origins,
    )
    engine_port: int = setting(
        "9410",
        "port",
        f"First of {ENGINE_PORTS} ports in a row for the inner parts of the embedded engine, all on 127.0.0.1.",
        values.engine_port(ENGINE_PORTS),
    )
    storage_processes: int = setting(
        "0",
        "processes",
        "Processes that hold the objects; 0: as many as 10,000 data sets need under the limit of open files.",
        values.whole(0, STORAGE_PROCESSES),
    )

    # Limits
    attachment_max_bytes: int = setting("1073741824", "bytes", "Largest attachment.", values.whole(1, 5 * 1024**3))
    attachment_link_seconds: int = setting(
        "300", "seconds", "How long a link to an attachment works.", values.whole(10, 300)
    )
    key_lifetime_days: int = setting("30", "days", "How long a new access key works.", values.whole(1, 365))
    transfer_minutes: int = setting(
        "60", "minutes", "How long the credentials of a transfer work; it renews them.", values.whole(1, 720)
    )
    transfer_limit: int = setting(
        "20", "transfers", "How many transfers of one data set may run at once.", values.whole(1, 50)
    )
    token_max_days: int = setting("366", "days", "Longest life of a personal access token.", values.whole(1, 3660))
    sign_in_code_hours: int = setting("24", "hours", "How long a one-time sign-in code works.", values.whole(1, 720))
    finalize_drain_seconds: int = setting(
        "30",
        "seconds",
        "How long finalizing waits for writes in flight to fail before it goes on without having seen them gone.",
        values.whole(0, 3600),
    )
    finalize_recheck_seconds: int = setting(
        "300", "seconds", "When, after finalizing, the second pass looks for late objects.", values.whole(1, 86400)
    )
    policy_check_seconds: int = setting(
        "3600",
        "seconds",
        "How often the policy in force of a data set is compared with what it should be, and put back.",
        values.whole(1, 86400),
    )
    fixity_days: int = setting(
        "90",
        "days",
        "How often all of an original is read again and compared; 0: only when asked.",
        values.whole(0, 3650),
    )
    fixity_bytes_per_second: int = setting(
        "100000000",
        "bytes",
        "How fast each worker reads for digests and fixity checks; 0: at full speed.",
        values.whole(0, 10**12),
    )
    fixity_threads: int = setting("4", "objects", "How many objects it reads at a time for that.", values.whole(1, 64))
    idempotency_hours: int = setting(
        "24", "hours", "How long the answer to an `Idempotency-Key` is remembered.", values.whole(1, 720)
    )

    # Servers
    session_seconds: int = setting(
        "1800",
        "seconds",
        "How long the credentials work that a server is given; its agent renews them ahead of time.",
        values.whole(60, 43200),
    )
    session_address: str = setting(
        "bound",
        "word",
        "`bound`: a server's credentials work only from the address it asked from. `any`: where servers reach the "
        "gateway from another address than the web server, for example through a proxy.",
        values.one_of("bound", "any"),
    )
    heartbeat_seconds: int = setting(
        "15", "seconds", "How often an agent says that it is there.", values.whole(1, 3600)
    )
    heartbeat_lapse_seconds: int = setting(
        "86400",
        "seconds",
        "How long a server may be silent before its access is cut until somebody enables it; 0: for ever.",
        values.whole(0, 31_536_000),
    )
    join_minutes: int = setting("15", "minutes", "How long a join command works.", values.whole(1, 60))

    # Where created servers run
    server_host: str = setting(
        "podman",
        "word",
        "`podman`: servers are made on this machine. `none`: none are made; machines can still be enrolled. `memory`: "
        "pretends, for tests only.",
        values.one_of("podman", "none", "memory"),
    )
    podman: tuple[str, ...] = setting(
        "podman", "command line", "How podman is started, such as `podman --runtime runc`.", values.command
    )
    podman_options: tuple[str, ...] = setting(
        "", "command line", "Further options of `podman run` for every server.", values.command
    )
    server_base_image: str = setting(
        "docker.io/library/debian:bookworm-slim",
        "image",
        "What the image of servers is built from; where it cannot be fetched, root makes one from Debian's mirror.",
        values.text,
    )
    server_authorities: Path | None = setting(
        "", "file", "Certificate authorities (PEM) that created servers trust besides Debian's.", values.file
    )
    offerings: Path | None = setting(
        "", "file", "Catalogue of servers with sizes and prices (TOML); empty: the built-in one.", values.file
    )
    server_ssh_host: str = setting(
        "127.0.0.1", "address", "Address at which people reach the `sshd` of created servers.", values.host
    )
    server_ssh_ports: range = setting(
        "9500-9599", "ports", "Ports for that, one for each created server: the most there can be.", values.ports
    )

    # Letters
    smtp_url: str = setting(
        "",
        "URL",
        "Mail server for invitations: `smtp://user:password@host:587` (STARTTLS), `smtps://host:465`, or "
        "`smtp+plain://host:25` for a relay without encryption. Empty: none; codes are handed over by hand.",
        values.smtp_url,
        is_secret=True,
    )
    mail_from: str = setting("strongroom@localhost", "e-mail address", "Sender of the letters.", values.email)

    # Signing in with a browser
    browser_idle_minutes: int = setting(
        "480",
        "minutes",
        "How long a browser may be silent before its person must sign in anew.",
        values.whole(5, 10080),
    )
    browser_days: int = setting("7", "days", "How long a sign-in with a browser lasts at most.", values.whole(1, 90))
    terms_file: Path | None = setting(
        "",
        "file",
        "Terms (plain text) that somebody accepts before they create a moderate or high risk space in a browser; "
        "another text is another version, accepted anew. Empty: the built-in ones.",
        values.file,
    )

    # Logging in
    mfa_minutes: int = setting(
        "60", "minutes", "How long a proved second factor counts, for what needs one.", values.whole(5, 720)
    )
    ssh_certificate_minutes: int = setting(
        "60", "minutes", "How long an SSH certificate works, where none is asked for less.", values.whole(5, 720)
    )

    # Running
    admin_email: str = setting(
        "admin@localhost", "e-mail address", "The first administrator, made at the first start.", values.email
    )
    workers: int = setting("1", "processes", "Background worker processes.", values.whole(1, 16))
    log_level: str = setting(
        "info", "word", "`debug`, `info`, `warning` or `error`.", values.one_of("debug", "info", "warning", "error")
    )
    log_max_bytes: int = setting(
        "20000000",
        "bytes",
        "Size at which a log file is put aside; two older ones are kept.",
        values.whole(10_000, 10**12),
    )
    disk_reserve_bytes: int = setting(
        "1000000000",
        "bytes",
        "Free space in the home below which nothing is started and no list is put together.",
        values.whole(0, 10**15),
    )

    @property
    def web_url(self) -> str:
        """Where people reach the web server, without a slash at the end."""
        return self.public_url or f"http://{values.bracketed(values.reachable(self.web_host))}:{self.web_port}"

    @property
    def gateway_endpoint(self) -> str:
        """The URL that S3 clients use, without a slash at the end."""
        scheme = "https" if self.gateway_tls_cert else "http"
        host = values.bracketed(values.reachable(self.gateway_host))
        return self.gateway_url or f"{scheme}://{host}:{self.gateway_port}"

    @property
    def console_origins(self) -> tuple[str, ...]:
        """Whose pages a browser lets speak to the public gateway: those of the console and no others."""
        return tuple(dict.fromkeys((values.origin(self.web_url), *self.upload_origins)))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read every setting from variables; one that is absent or empty has its default.

        Raises: Invalid naming the variable, its value and the way out; also for a variable that is a misspelt setting.
        """
        known = {PREFIX + each.name.upper(): each for each in _fields()}
        _refuse_misspelt(environ, list(known))
        read = {each.name: _read(variable, environ.get(variable, ""), each) for variable, each in known.items()}
        settings = cls(**read)
        _refuse_contradictions(settings)
        return settings


def entries() -> list[Entry]:
    """Every setting, in the order of the reference page."""
    return [
        Entry(PREFIX + each.name.upper(), each.metadata["default"], each.metadata["unit"], each.metadata["doc"])
        for each in _fields()
    ]


def in_force(settings: Settings) -> list[InForce]:
    """Every setting with its value, in the order of the reference page; never that of a secret one."""
    return [_in_force(settings, each) for each in _fields()]


def _fields() -> "list[dataclasses.Field[Any]]":
    """Those of this class, then those of single sign-on."""
    above = {each.name for each in dataclasses.fields(SignOnSettings)}
    return sorted(dataclasses.fields(Settings), key=lambda each: each.name in above)


def _in_force(settings: Settings, setting: "dataclasses.Field[Any]") -> InForce:
    value, told = getattr(settings, setting.name), setting.metadata
    is_set = value != told["read"](told["default"])
    text = ("(hidden)" if is_set else "") if told["is_secret"] else _written(value)
    return InForce(PREFIX + setting.name.upper(), text, is_set, told["is_secret"], told["unit"], told["doc"])


def _written(value: object) -> str:
    """As one would write it into the environment; a list with commas between."""
    if value is None:
        return ""
    if isinstance(value, range):
        return f"{value.start}-{value.stop - 1}"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read(variable: str, text: str, setting: "dataclasses.Field[Any]") -> Any:
    try:
        return setting.metadata["read"](text.strip() or setting.metadata["default"])
    except ValueError as wrong:
        shown = "(hidden)" if setting.metadata["is_secret"] else repr(text)
        raise Invalid(
            say("{variable} is {shown}: {wrong}", variable=variable, shown=shown, wrong=wrong),
            fields={variable: quoted(wrong)},
        ) from None


def _refuse_misspelt(environ: Mapping[str, str], known: list[str]) -> None:
    """A setting that is spelt wrong would silently not apply; other variables (the command line's) are let be."""
    for variable in environ:
        if variable.startswith(PREFIX) and variable not in known:
            close = difflib.get_close_matches(variable, known, n=1, cutoff=0.88)
            if close:
                raise Invalid(
                    say("There is no setting {variable}; did you mean {close}?", variable=variable, close=close[0]),
                    fields={variable: say("did you mean {close}?", close=close[0])},
                )


def _refuse_contradictions(settings: Settings) -> None:
    settings.refuse_half_a_provider()
    if (settings.gateway_tls_cert is None) != (settings.gateway_tls_key is None):
        raise Invalid(
            say("STRONGROOM_GATEWAY_TLS_CERT and STRONGROOM_GATEWAY_TLS_KEY belong together: set both, or neither."),
            fields={"STRONGROOM_GATEWAY_TLS_KEY": say("set both, or neither")},
        )
    refuse_taken_ports(
        {PREFIX + name.upper(): getattr(settings, name) for name in ("web_port", "gateway_port")},
        engine=range(settings.engine_port, settings.engine_port + ENGINE_PORTS),
        servers=settings.server_ssh_ports,
    )
