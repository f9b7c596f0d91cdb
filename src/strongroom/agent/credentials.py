"""`strongroom credentials`: the session for programs that ask a command for it (`credential_process`)."""

from __future__ import annotations

import argparse
import json
import shlex
import urllib.error
import urllib.request

from strongroom.agent import containers, control_socket, problems
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.problems import Trouble


def add_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `credentials`."""
    parser = subparsers.add_parser(
        "credentials", help="print this server's session, as credential_process of ~/.aws/config wants it"
    )
    parser.add_argument(
        "--export", action="store_true", help="print the variables of the container-credentials URL instead"
    )
    parser.set_defaults(run=credentials)


def credentials(config: Config, options: argparse.Namespace) -> int:
    """Print them. Raises: Trouble.

    Source: AWS SDKs and Tools Reference Guide, "Process credential provider".
    """
    if options.export:
        print(_exports(config))
        return 0
    session = _over_http(config) if IS_WINDOWS else control_socket.ask(config, "credentials")
    print(json.dumps({"Version": 1, **session}, indent=1))
    return 0


def _exports(config: Config) -> str:
    if not config.credentials_port:
        raise Trouble(
            "The container-credentials URL is off.",
            f'Root switches it on in {config.file}: {{"credentials_port": 9911}}, then restarts the agent.',
            "off",
        )
    values = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{config.credentials_port}{containers.PATH}",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(_token_file(config)),
    }
    word = "set" if IS_WINDOWS else "export"
    return "\n".join(f"{word} {name}={value if IS_WINDOWS else shlex.quote(value)}" for name, value in values.items())


def _token_file(config: Config) -> str:
    found = containers.token_file(config)
    if found is None:
        raise Trouble(
            "No file with a token for that URL is readable to you.",
            f"Credentials are for {config.who_may}; root chooses in {config.file}.",
            "not-chosen",
        )
    return str(found)


def _over_http(config: Config) -> dict[str, str]:
    with open(_token_file(config), encoding="ascii") as file:  # noqa: PTH123
        request = urllib.request.Request(
            f"http://127.0.0.1:{config.credentials_port}{containers.PATH}", headers={"Authorization": file.read()}
        )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=15) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as refusal:
        problem = json.load(refusal)
        raise Trouble(problem["message"], code=problem["code"]) from None
    except OSError:
        raise problems.not_running() from None
    found["SessionToken"] = found.pop("Token")
    return dict(found)
