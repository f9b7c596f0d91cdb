"""The container-credentials URL: the same session for clients where no metadata service can be, as on Windows.

Whoever can read a token file is whom root chose; on Linux the caller's user is checked as well.
Source: AWS SDKs and Tools Reference Guide, "Container credential provider".
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from strongroom.agent import state
from strongroom.agent.callers import Callers
from strongroom.agent.config import IS_WINDOWS, Config
from strongroom.agent.problems import Trouble
from strongroom.agent.renewal import Renewal
from strongroom.agent.web import LocalHandler, LocalServer

if sys.platform != "win32":
    import grp
    import pwd

PATH = "/credentials"
STATUS_PATH = "/status"


class CredentialsServer(LocalServer):
    """Answers on 127.0.0.1 to whoever shows the token."""

    def __init__(
        self,
        port: int,
        who: Callers,
        renewal: Renewal,
        token: str,
        status: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.renewal = renewal
        self.token = token
        self.status = status
        super().__init__(("127.0.0.1", port), _Handler, who)


class _Handler(LocalHandler):
    server: CredentialsServer

    def do_GET(self) -> None:  # noqa: N802  the name http.server looks for
        """Hand out the session."""
        if not self.is_chosen():
            return
        shown = (self.headers.get("Authorization") or "").strip()
        if not hmac.compare_digest(shown.encode(), self.server.token.encode()):
            self._refuse(401, "token", f"The token in Authorization is not the one in {token_folder_hint()}.")
        elif self.path == STATUS_PATH:
            self.answer(200, json.dumps(self.server.status()), "application/json")
        elif self.path == PATH:
            self._hand_out()
        else:
            self._refuse(404, "not-found", f"Only {PATH} and {STATUS_PATH} are here.")

    def _hand_out(self) -> None:
        try:
            session = self.server.renewal.current()
        except Trouble as trouble:
            self._refuse(503, trouble.code, str(trouble))
            return
        document = {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret,
            "Token": session.token,
            "Expiration": session.expires_at,
        }
        self.answer(200, json.dumps(document), "application/json")

    def _refuse(self, status: int, code: str, message: str) -> None:
        self.answer(status, json.dumps({"code": code, "message": message}), "application/json")


def token_folder_hint() -> str:
    """Where people look for the token, for messages."""
    return "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (`strongroom credentials --export` names it)"


def write_tokens(config: Config) -> str:
    """A fresh token, in one file for each chosen user and group that only they can read. Raises: Trouble."""
    token = secrets.token_urlsafe(32)
    if IS_WINDOWS:
        _write_for_windows(config, token)
        return token
    folder = config.run / "tokens"
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    state.prepare(folder, 0o755)
    state.write_text(folder / "root", token)
    for name in config.users:
        _write_for(folder / f"user-{name}", token, name, is_group=False)
    for name in config.groups:
        _write_for(folder / f"group-{name}", token, name, is_group=True)
    return token


def token_file(config: Config) -> Path | None:
    """The first token file that the calling user can read."""
    places = [windows_file(config)] if IS_WINDOWS else sorted((config.run / "tokens").glob("*"))
    return next((path for path in places if os.access(path, os.R_OK)), None)


def windows_file(config: Config) -> Path:
    """The one token file of Windows, where a file can be readable to several users."""
    return config.state / "credentials-token"


def _write_for_windows(config: Config, token: str) -> None:
    # Not inherited from the folder: SYSTEM and administrators (by their well-known ids), and who was chosen.
    path = windows_file(config)
    state.write_text(path, token)
    chosen = [f"{name}:R" for name in (*config.users, *config.groups)]
    command = ["icacls", str(path), "/inheritance:r", "/grant:r", "*S-1-5-18:F", "*S-1-5-32-544:F", *chosen]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        path.unlink()
        raise Trouble(
            f"{path} cannot be kept to those who were chosen: {done.stdout.strip()} {done.stderr.strip()}",
            f"Check users and groups in {config.file}.",
            "config",
        )


def _write_for(path: Path, token: str, name: str, *, is_group: bool) -> None:
    state.write_text(path, token)
    if sys.platform == "win32":
        return
    try:
        if is_group:
            os.chown(path, 0, grp.getgrnam(name).gr_gid)
            path.chmod(0o440)
        else:
            os.chown(path, pwd.getpwnam(name).pw_uid, -1)
            path.chmod(0o400)
    except (KeyError, PermissionError):
        # A name nobody has here, or an agent that is not root: then it is readable to the agent's own user only.
        path.unlink()
