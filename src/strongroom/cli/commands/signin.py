"""`strongroom login`, `logout`, `whoami`: which server, as whom."""

import platform
import sys
import time

import click

from strongroom.cli import profiles, words
from strongroom.cli.commands import people
from strongroom.cli.deeds import command
from strongroom.cli.exits import Exit
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.cli.problems import Problem, not_signed_in, usage
from strongroom.cli.profiles import Profile
from strongroom.cli.session import Session, normal_url


def add_to(group: click.Group) -> None:
    """Hang the three commands below the root."""
    for name, handler, examples in (
        (
            "login",
            login,
            ("strongroom login https://strongroom.example.org", "strongroom login 127.0.0.1:8400 --code 7Q2M-…"),
        ),
        ("logout", logout, ("strongroom logout",)),
        ("whoami", whoami, ("strongroom whoami", "strongroom whoami --profile lab --json")),
    ):
        command(group, name, examples=examples)(handler)


@click.argument("url")
@click.option("--code", help="The one-time code you were given, where there is no browser.")
@click.option("--with-token", is_flag=True, help="Keep a token you have: it is read from standard input.")
def login(session: Session, url: str, code: str | None, with_token: bool) -> None:
    """Sign in, with a browser or a one-time code.

    Without a code an address is shown: open it, and approve this terminal there. The token is kept in a file that
    only you can read.
    """
    address = normal_url(url)
    api = session.speak(address, None)
    if with_token:
        profile = _of_token(session, address)
    else:
        profile = _of_code(session, address, code) if code else _of_browser(session, address)
    api.close()
    file = profiles.save(session.environ, session.profile_name, profile)
    session.out.done(
        {"url": profile.url, "email": profile.email, "profile": session.profile_name, "expires_at": profile.expires_at},
        f"Signed in at {profile.url} as {profile.email}.",
        "strongroom tour",
        "strongroom space create NAME --risk high",
        "strongroom --help",
    )
    session.out.note(
        f"The token is in {file}"
        + (f" and works until {words.moment(profile.expires_at)}." if profile.expires_at else ".")
    )


def logout(session: Session) -> None:
    """End the token at the server and forget it here."""
    if session.profile_name not in profiles.load(session.environ):
        raise not_signed_in(f"There is no profile {session.profile_name!r}.")
    kept = profiles.load(session.environ)[session.profile_name]
    try:
        session.speak(kept.url, kept.token).delete(path("tokens", "current"))
    except Problem as problem:
        if problem.exit is not Exit.NOT_SIGNED_IN:
            session.out.warn(f"The token is forgotten here, but may work on at {kept.url}: {problem}")
    profiles.forget(session.environ, session.profile_name)
    session.out.done({"profile": session.profile_name, "url": kept.url}, f"Signed out of {kept.url}.")


def whoami(session: Session) -> None:
    """Show who you are, and where."""
    me = session.api.get("/people/me")
    session.out.record({**me, "url": session.signed_in.url}, [("server", session.signed_in.url), *people.facts(me)])


def _of_code(session: Session, address: str, code: str) -> Profile:
    return _profile(address, session.speak(address, None).post("/sign-in", {"code": code, "token_name": _name()}))


def _of_browser(session: Session, address: str) -> Profile:
    """Show where this terminal is approved, and wait for it. Source: RFC 8628."""
    api = session.speak(address, None)
    begun = api.post("/device-logins", {"token_name": _name()})
    click.echo(f"Open {words.plain(begun['verification_url'])}", err=True)
    click.echo(f"and let this terminal in if the page shows {words.plain(begun['user_code'])}. Waiting …", err=True)
    while True:
        time.sleep(begun["interval_seconds"])
        try:
            return _profile(address, api.post("/device-logins/claim", {"device_code": begun["device_code"]}))
        except Problem as problem:
            if problem.code != "authorization-pending":
                raise


def _name() -> str:
    return f"command line on {platform.node() or 'a machine'}"[:100]


def _profile(address: str, answer: Json) -> Profile:
    return Profile(address, answer["token"], answer["person"]["email"], answer.get("expires_at") or "")


def _of_token(session: Session, address: str) -> Profile:
    token = sys.stdin.readline().strip()
    if not token:
        raise usage("No token came on standard input.", "For example: `strongroom login URL --with-token < token.txt`.")
    me = session.speak(address, token).get("/people/me")
    return Profile(address, token, me["email"])
