"""What the running agent answers at its control socket."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from strongroom import __version__
from strongroom.agent import state
from strongroom.agent.config import OFF
from strongroom.agent.problems import Trouble
from strongroom.agent.renewal import instant

if TYPE_CHECKING:
    from strongroom.agent.daemon import Agent

_REPORT_SECONDS = 12.0


class Told:
    """The agent's own view of itself."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def credentials(self) -> Mapping[str, Any]:
        """The session, with the names `credential_process` uses. Raises: Trouble."""
        session = self._agent.renewal.current()
        return {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret,
            "SessionToken": session.token,
            "Expiration": session.expires_at,
        }

    def report(self) -> Mapping[str, Any]:
        """Beat now; whether the control plane answered, as the status tells it."""
        heartbeat = self._agent.heartbeat
        before, asked = heartbeat.answered_at, time.monotonic()
        heartbeat.soon()
        while time.monotonic() - asked < _REPORT_SECONDS and heartbeat.answered_at == before:
            if heartbeat.trouble is not None:
                break
            time.sleep(0.02)
        return self.status()

    def manifest(self, said: Mapping[str, Any]) -> Iterator[bytes]:
        """The manifest of a data set that this server was granted, in pieces. Raises: Trouble."""
        return self._agent.control.stream("/manifest", {"dataset_id": str(said.get("dataset_id", ""))})

    def status(self) -> Mapping[str, Any]:
        """One object; times are ISO 8601, `problems` is empty when all is well."""
        agent = self._agent
        granted = state.granted(agent.config)
        return {
            "server": {"id": agent.who.server_id, "name": agent.who.name, "space": agent.who.space},
            "session_name": agent.who.session_name,
            "control_plane": agent.who.control_plane_url,
            "agent_version": __version__,
            "is_reachable": agent.heartbeat.answered_at is not None and agent.heartbeat.trouble is None,
            "heartbeat_at": instant(agent.heartbeat.answered_at) if agent.heartbeat.answered_at else None,
            "clock_offset_seconds": agent.control.offset_seconds,
            "credentials_until": self._until(),
            "credentials_for": agent.callers.who_may,
            "imds": agent.config.imds_address if "imds" not in agent.troubles else OFF,
            "endpoint": agent.config.endpoint or granted.get("endpoint", ""),
            "region": granted.get("region", ""),
            "datasets": granted.get("datasets", []),
            "mounts": agent.heartbeat.mounts,
            "problems": self._problems(),
        }

    def _until(self) -> str | None:
        try:
            return self._agent.renewal.current().expires_at
        except Trouble:
            return None

    def _problems(self) -> list[dict[str, str]]:
        agent = self._agent
        found = list(agent.troubles.values())
        found += [each for each in (agent.heartbeat.trouble, agent.renewal.trouble) if each is not None]
        if self._until() is None and not found:
            found.append(Trouble("The agent has just started.", "Look again in a second.", "starting"))
        return list({each.detail: each.as_json() for each in found}.values())
