"""What one command has at hand: the wishes of the caller, where output goes, and the server it speaks with."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from strongroom.cli import problems, profiles
from strongroom.cli.output import Output
from strongroom.cli.profiles import Profile

if TYPE_CHECKING:
    from strongroom.cli.client import Api  # and with it httpx, which takes longer than what needs neither

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Wishes:
    """The options that every command takes, before or after its name."""

    profile: str | None = None
    is_json: bool = False
    is_quiet: bool = False

    def and_then(self, later: "Wishes") -> "Wishes":
        """Both; what was said last wins."""
        return Wishes(later.profile or self.profile, self.is_json or later.is_json, self.is_quiet or later.is_quiet)


class Session:
    """One run of one command."""

    def __init__(self, wishes: Wishes, environ: Mapping[str, str] | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self.profile_name = wishes.profile or self.environ.get("STRONGROOM_PROFILE") or profiles.DEFAULT
        hints = self.environ.get("STRONGROOM_HINTS") != "0"
        self.out = Output(is_json=wishes.is_json, is_quiet=wishes.is_quiet, gives_hints=hints)

    @cached_property
    def signed_in(self) -> Profile:
        """Server and token, from the environment or else the profile. Raises Problem where there are none."""
        kept = profiles.load(self.environ).get(self.profile_name)
        url, token = self.environ.get("STRONGROOM_URL", ""), self.environ.get("STRONGROOM_TOKEN", "")
        if kept and (not url or normal_url(url) == kept.url):
            url, token = kept.url, token or kept.token
        if not url:
            option = "" if self.profile_name == profiles.DEFAULT else f" --profile {shlex.quote(self.profile_name)}"
            raise problems.not_signed_in(
                f"Not signed in (profile {self.profile_name!r}).",
                f"Run `strongroom login URL{option}`, or set STRONGROOM_URL and STRONGROOM_TOKEN.",
            )
        if not token:
            # The token of another server is never tried here: it would be given away.
            raise problems.not_signed_in(f"There is no token for {url}.")
        return Profile(normal_url(url), token)

    @cached_property
    def api(self) -> "Api":
        """The server, as the person who is signed in."""
        return self.speak(self.signed_in.url, self.signed_in.token)

    def speak(self, url: str, token: str | None) -> "Api":
        """A server at an address; warns before a token travels unencrypted."""
        address = urlsplit(url)
        if address.scheme == "http" and address.hostname not in _LOOPBACK:
            self.out.warn(f"{url} is not encrypted: whoever listens on the way can read your token. Use https.")
        from strongroom.cli.client import Api

        return Api(url, token)

    @property
    def is_interactive(self) -> bool:
        """Whether somebody is there to be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.out.is_json


def normal_url(given: str) -> str:
    """An address without path or slash at its end; `https://` where no scheme is given. Raises Problem."""
    text = given.strip()
    if "://" not in text:
        host = text.split("/")[0].rsplit(":", 1)[0]
        text = f"{'http' if host in _LOOPBACK else 'https'}://{text}"
    try:
        address = urlsplit(text)
        is_address = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:
        is_address = False
    if not is_address or "@" in address.netloc:
        raise problems.usage(
            f"{given!r} is not the address of a server.", "Give one like https://strongroom.example.org"
        )
    kept = address.path.rstrip("/").removesuffix("/api/v1")
    return f"{address.scheme}://{address.netloc.lower()}{kept}"
