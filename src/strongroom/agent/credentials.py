"""`strongroom credentials`: the session for programs that ask a command for it (`credential_process`)."""

from __future__ import annotations

import argparse
import json
import shlex

from strongroom.agent import containers, local
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.problems import Trouble


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    print(json.dumps({"Version": 1, **local.credentials(config)}, indent=1))
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
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": local.token_file(config),
    }
    word = "set" if IS_WINDOWS else "export"
    return "\n".join(f"{word} {name}={value if IS_WINDOWS else shlex.quote(value)}" for name, value in values.items())
