"""How programs of this machine ask the agent: at its control socket, or over HTTP where there are no unix sockets."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from strongroom.agent import containers, control_socket, problems
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.problems import Trouble

_SECONDS_TO_ANSWER = 30


def status(config: Config) -> dict[str, Any]:
    """What the running agent says of itself. Raises: Trouble, the agent's own or that it does not run."""
    return over_http(config, containers.STATUS_PATH) if IS_WINDOWS else control_socket.ask(config, "status")


def credentials(config: Config) -> dict[str, Any]:
    """The session, with the names `credential_process` uses. Raises: Trouble as `status` does."""
    if not IS_WINDOWS:
        return control_socket.ask(config, "credentials")
    found = over_http(config, containers.PATH)
    found["SessionToken"] = found.pop("Token")
    return found


def over_http(config: Config, path: str) -> dict[str, Any]:
    """An answer at 127.0.0.1, for whoever can read the token. Raises: Trouble as `status` does."""
    file = token_file(config)
    try:
        with open(file, encoding="ascii") as token:  # noqa: PTH123
            headers = {"Authorization": token.read()}
        request = urllib.request.Request(f"http://127.0.0.1:{config.credentials_port}{path}", headers=headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=_SECONDS_TO_ANSWER
        ) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as refusal:
        with refusal:
            problem = json.load(refusal)
        raise Trouble(problem["message"], code=problem["code"]) from None
    except (OSError, ValueError):
        raise problems.not_running() from None


def token_file(config: Config) -> str:
    """The token that the caller may read. Raises: Trouble where there is none: not chosen, or it never ran."""
    found = containers.token_file(config)
    if found is not None:
        return str(found)
    if IS_WINDOWS and config.state.is_dir() and not containers.windows_file(config).exists():
        raise problems.not_running()
    raise Trouble(
        "No file with a token for that URL is readable to you.",
        f"Credentials are for {config.who_may}; root chooses in {config.file}.",
        "not-chosen",
    )
