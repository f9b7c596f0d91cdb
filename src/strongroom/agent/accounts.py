"""Who may log in to this server: the accounts of the heartbeat, made true on this machine.

`apply` is what the agent calls after each heartbeat that was answered; it must be quick where nothing changed.
Joining leaves the control plane's `ssh_ca.pub` and, where there is one, `host-cert.pub` in the state folder.
"""

from __future__ import annotations

from typing import Any

from strongroom.agent.config import Config


def apply(config: Config, accounts: list[dict[str, Any]]) -> None:
    """Let exactly these accounts (`{"account", "name"}`) in."""
