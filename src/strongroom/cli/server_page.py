"""One server on one screen: how it is and why, where, what it may touch, what it mounted, and what to do."""

from dataclasses import dataclass

from strongroom.cli import words
from strongroom.cli.commands.grants import ACCESS, until
from strongroom.cli.deeds import command_name
from strongroom.cli.output import Column, Json, Output
from strongroom.core.vocabulary import MountHealth, Power, ServerKind, ServerState, Verb

_GOOD, _ODD, _BAD, _GONE = "green", "yellow", "red", "dim"
_GRANTS = (
    Column("DATA SET", lambda item: item["dataset_name"], shrinks=True),
    Column("ACCESS", lambda item: ACCESS[item["access"]]),
    Column("UNTIL", lambda item: until(item)),
    Column("REPOSITORY", lambda item: item["repository"]),
)
_MOUNTS = (
    Column("MOUNT", lambda item: item["path"], shrinks=True),
    Column("DATA SET", lambda item: item["dataset_name"], shrinks=True),
    Column("HEALTH", lambda item: item["health"]),
    Column("CHECKED", lambda item: words.ago(item["checked_at"])),
    Column("TOOL", lambda item: item["tool"]),
    Column("MODE", lambda item: "read only" if item["is_read_only"] else "read and write"),
    Column("AFTER A REBOOT", lambda item: "there again" if item["is_persistent"] else "gone"),
)
_REMEDY = {
    MountHealth.FAILING: "On the server: `strongroom umount {path}`, then `strongroom mount {repository} {path}`.",
    MountHealth.MISSING: "On the server: `strongroom mount {repository} {path}`; it says what is in the way.",
}


@dataclass(frozen=True)
class Standing:
    """How a server is: a word and its colour, why, and what to do about it."""

    word: str
    style: str
    reason: str
    way_out: str = ""


def show(out: Output, server: Json) -> None:
    """The page."""
    now = standing(server)
    out.heading(server["name"])
    out.standing(now.word, now.style, now.reason)
    if now.way_out:
        out.note(f"  → {now.way_out}")
    out.text("")
    out.pairs(_facts(server))
    _show_grants(out, server)
    _show_mounts(out, server)


def standing(server: Json) -> Standing:
    """How it is, in a word: its state, or what hides behind `active`."""
    state, name, why = server["state"], server["name"], server["state_reason"]
    if state == ServerState.JOINING:
        return _being_made(server) if server["kind"] == ServerKind.CREATED else _expected(server)
    if state in (ServerState.DISABLED, ServerState.LAPSED):
        reason = why or "it was silent for too long, so its access was cut"
        return Standing(state, _BAD, f"{_since(server)}: {reason}", f"strongroom server enable {name}")
    if state == ServerState.DELETED:
        return Standing(state, _GONE, f"{_since(server)}: {why}")
    if server["power"] == Power.STOPPED:
        return _stopped(server)
    if server["is_online"]:
        return Standing(state, _GOOD, f"heard {words.ago(server['last_heartbeat_at'])}")
    return Standing(
        "silent",
        _ODD,
        f"last heard {words.ago(server['last_heartbeat_at']) or 'never'}",
        "On the server, as root: `systemctl status strongroom` and `strongroom status` say why.",
    )


def _stopped(server: Json) -> Standing:
    if server["is_settled"]:
        return Standing("stopped", _GONE, "its machine does not run", f"strongroom server start {server['name']}")
    failing = f"its host fails, and tries again: {server['last_error']}" if server["last_error"] else "a moment"
    return Standing("stopping", _ODD, failing)


def _being_made(server: Json) -> Standing:
    if server["last_error"]:
        return Standing("joining", _BAD, f"its host fails, and tries again: {server['last_error']}")
    stage = "its machine is being made" if server["observed"] == Power.ABSENT else "its agent has not been heard yet"
    return Standing("joining", _ODD, stage)


def _expected(server: Json) -> Standing:
    name, until_when = server["name"], server["join_expires_at"]
    if until_when and not words.is_past(until_when):
        return Standing("joining", _ODD, f"its join command works until {words.moment(until_when)}")
    return Standing("joining", _BAD, "its join command has expired", f"strongroom server rejoin {name}")


def _since(server: Json) -> str:
    return f"since {words.moment(server['state_at'])}"


def _facts(server: Json) -> list[tuple[str, object]]:
    is_ours = server["kind"] == ServerKind.CREATED
    heard = words.ago(server["last_heartbeat_at"])
    return [
        ("space", server["space_name"]),
        ("owner", server["owner"]),
        ("description", server["description"]),
        ("kind", f"{server['kind']}, {server['offering']}" if is_ours else server["kind"]),
        ("machine", _machine(server) if is_ours else ""),
        ("OS", server["os_version"] or server["os"]),
        ("host name", server["hostname"]),
        ("address", server["address"]),
        ("agent", f"version {server['agent_version']}, heard {heard}" if server["agent_version"] else "never heard"),
        ("credentials", _credentials(server)),
        ("ssh", f"{server['ssh_host']}:{server['ssh_port'] or 22}" if server["ssh_host"] else ""),
        ("joined", words.moment(server["joined_at"])),
        ("created", f"{words.moment(server['created_at'])} by {server['created_by']}"),
        ("id", server["id"]),
        ("your role", server["role"]),
        ("you may", [" ".join(command_name(Verb(verb))).removeprefix("server ") for verb in server["may"]]),
    ]


def _machine(server: Json) -> str:
    if server["is_settled"]:
        return str(server["observed"])
    failing = f" ({server['last_error']})" if server["last_error"] else ""
    return f"{server['observed']}, is to be {server['power']}{failing}"


def _credentials(server: Json) -> str:
    ends = server["session_expires_at"]
    if not ends:
        return ""
    return f"{'expired' if words.is_past(ends) else 'until'} {words.moment(ends)}"


def _show_grants(out: Output, server: Json) -> None:
    if server["state"] == ServerState.DELETED:
        return
    if not server["grants"]:
        out.text("")
        out.note(f"It has access to no data set. Give it: `strongroom grant create DATASET {server['name']}`.")
        return
    suspended = "" if server["state"] == ServerState.ACTIVE else f", suspended while it is {server['state']}"
    out.heading(f"Access to {words.counted(len(server['grants']), 'data set')}{suspended}")
    out.table(server["grants"], _GRANTS)


def _show_mounts(out: Output, server: Json) -> None:
    if not server["mounts"]:
        return
    named = {item["repository"]: item["dataset_name"] for item in server["grants"]}
    mounts = [{**mount, "dataset_name": named.get(mount["repository"], "")} for mount in server["mounts"]]
    out.heading(words.counted(len(mounts), "mount"))
    out.table(mounts, _MOUNTS)
    for mount in mounts:
        if mount["health"] != MountHealth.OK or not mount["dataset_name"]:
            out.trouble(f"{mount['path']}: {_wrong(mount)}", _remedy(mount))


def _wrong(mount: Json) -> str:
    if not mount["dataset_name"]:
        return f"the server has no access to {mount['repository']} any more"
    return mount["detail"] or f"it is {mount['health']}"


def _remedy(mount: Json) -> str:
    if not mount["dataset_name"]:
        return f"Grant it again, or on the server: `strongroom umount {mount['path']}`."
    return _REMEDY[MountHealth(mount["health"])].format(**mount)
