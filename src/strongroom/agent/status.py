"""`strongroom status`: on one screen, what this server may do and what is wrong."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any

from strongroom.agent import local, problems, state
from strongroom.agent.config import Config
from strongroom.agent.control import seconds_of
from strongroom.agent.problems import Trouble
from strongroom.agent.renewal import ENDED

# Below this nobody's signature is refused (300 s), but logs of two machines no longer fit together.
_CLOCK_WORTH_SAYING_SECONDS = 2.0


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `status`."""
    parser = subparsers.add_parser(
        "status",
        help="what this server may do and what is wrong",
        description="Exit code: 0 all is well, 1 something is wrong, 3 not joined, 4 the agent is not running.",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=status)


def status(config: Config, options: argparse.Namespace) -> int:
    """Print it; 0 only when all is well."""
    try:
        found = local.status(config)
    except Trouble as trouble:
        found = _without_agent(config, trouble)
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print(screen(found))
    return int(found.get("exit", 1 if found["problems"] or _bad_mounts(found) else 0))


def screen(found: Mapping[str, Any]) -> str:
    """What the agent told, for people."""
    return "\n".join(_lines(found))


def _without_agent(config: Config, trouble: Trouble) -> dict[str, Any]:
    """What can be told when nobody answers; root is told more, who can read the state."""
    if trouble.code != "not-running":
        raise trouble
    try:
        who = state.identity(config)
    except Trouble as reason:
        if reason.exit == problems.NOT_JOINED:
            trouble = reason
        return {"problems": [trouble.as_json()], "exit": trouble.exit}
    return {
        "server": {"id": who.server_id, "name": who.name, "space": who.space},
        "control_plane": who.control_plane_url,
        "problems": [trouble.as_json()],
        "exit": trouble.exit,
    }


def _lines(found: Mapping[str, Any]) -> list[str]:
    lines = []
    if "server" in found:
        server = found["server"]
        lines.append(_row("Server", f"{server['name']} of {server['space']} ({server['id']})"))
        lines.append(_row("Control plane", _control_plane(found)))
    if "session_name" in found:
        lines += _details(found)
    for problem in found["problems"]:
        lines.append(f"Problem: {problem['detail']}")
        if problem["way_out"]:
            lines.append(f"         {problem['way_out']}")
    return lines


def _control_plane(found: Mapping[str, Any]) -> str:
    if "is_reachable" not in found:
        return str(found["control_plane"])
    if not found["heartbeat_at"] and not found["problems"]:  # the agent has only just started
        return f"{found['control_plane']}, no heartbeat yet"
    state_word = "answers" if found["is_reachable"] else "DOES NOT ANSWER AS IT SHOULD"
    if _is_ended(found):
        state_word = "REFUSES THIS SERVER"
    heartbeat = f"last heartbeat {_ago(found['heartbeat_at'])}" if found["heartbeat_at"] else "no heartbeat yet"
    return f"{found['control_plane']} {state_word}, {heartbeat}"


def _details(found: Mapping[str, Any]) -> list[str]:
    until = found["credentials_until"]
    offset = found["clock_offset_seconds"]
    has_clock = offset is not None and abs(offset) >= _CLOCK_WORTH_SAYING_SECONDS
    lines = [
        _row("Credentials", f"until {until}" if until else "none"),
        _row("  for", found["credentials_for"]),
        _row("  at", f"http://{found['imds']} (IMDS)" if found["imds"] != "off" else "no IMDS"),
        _row("Endpoint", found["endpoint"] or "not told yet"),
    ]
    if offset is not None:
        lines.append(_row("Clock", f"{abs(offset):.0f} s {'slow' if offset > 0 else 'fast'}" if has_clock else "right"))
    reached = [] if _is_ended(found) else found["datasets"]  # what the last heartbeat told holds no longer
    lines += _listed(
        "Data sets", [_dataset(each) for each in reached], "none now" if _is_ended(found) else "none granted"
    )
    lines += _listed("Mounts", [_mount(each) for each in found["mounts"]], "none")
    return lines


def _is_ended(found: Mapping[str, Any]) -> bool:
    """Whether the control plane said that this server is disabled, lapsed or deleted."""
    return any(each["code"] in ENDED for each in found["problems"])


def _dataset(each: Mapping[str, Any]) -> str:
    until = f", until {each['granted_until']}" if each.get("granted_until") else ""
    return f"{each['name']}  {each['kind']}, {each['access']}{until}  {each['repository']}"


def _mount(each: Mapping[str, Any]) -> str:
    detail = f": {each['detail']}" if each.get("detail") else ""
    return f"{each['path']}  {each['health']}{detail}  ({each['tool']}, {each['repository']})"


def _bad_mounts(found: Mapping[str, Any]) -> bool:
    return any(each["health"] != "ok" for each in found.get("mounts", []))


def _listed(title: str, rows: list[str], nothing: str) -> list[str]:
    return [_row(title if number == 0 else "", row) for number, row in enumerate(rows or [nothing])]


def _row(title: str, text: str) -> str:
    return f"{title:<14} {text}"


def _ago(at: str) -> str:
    seconds = max(time.time() - seconds_of(at), 0)
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"
