"""`strongroom ssh` and `strongroom server certify`: into a server, with a certificate made for this login."""

import contextlib
import shutil
import subprocess
from pathlib import Path

import click

from strongroom.cli import files, find, logins, problems, second_factor, words
from strongroom.cli.commands.servers import server
from strongroom.cli.deeds import command, deed
from strongroom.cli.logins import Login
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.cli.problems import Problem
from strongroom.cli.session import Session
from strongroom.core import sshcert
from strongroom.core.vocabulary import Verb

_REFUSED = 255  # what ssh exits with when it failed itself, and not what it ran
_KEY = click.Path(exists=True, dir_okay=False, path_type=Path)


def add_to(group: click.Group) -> None:
    """Hang `ssh` below the root."""
    examples = (
        "strongroom ssh genomics-1",
        "strongroom ssh genomics-1 -- df -h /data",
        "strongroom ssh genomics-1 --config",
        "strongroom ssh --write-config",
    )
    command(group, "ssh", examples=examples)(ssh)


@click.argument("server", required=False)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--identity", type=_KEY, metavar="KEY", help="A private key of yours; else one is made for the server.")
@click.option("--minutes", type=click.IntRange(1), help="How long the certificate works.")
@click.option("--code", help="A code of your authenticator app, if one is needed.")
@click.option("--config", "shows", is_flag=True, help="Print what to add to ~/.ssh/config; do not log in.")
@click.option("--write-config", "writes", is_flag=True, help="Have ~/.ssh/config read it, once; do not log in.")
@click.option("--renew", "renews", is_flag=True, help="Renew the certificate if it has ended; do not log in.")
def ssh(
    session: Session,
    server: str | None,
    command: tuple[str, ...],
    identity: Path | None,
    minutes: int | None,
    code: str | None,
    shows: bool,
    writes: bool,
    renews: bool,
) -> None:
    """Log in to a server.

    SERVER is an id, the beginning of one or a name. A code of your authenticator app is asked for when the last one was
    long ago. What follows -- is run there. After --write-config, plain `ssh SERVER` and `scp` work as well.
    """
    if writes:
        _include(session)
    if server is None:
        if not writes:
            raise problems.usage("Which server?", "Name it: `strongroom ssh SERVER`. See `strongroom server list`.")
        return
    if renews and (kept := logins.load(session.environ, server)) and kept.is_good:
        return
    login = _login(session, server, identity, minutes, code)
    if shows:
        session.out.text(logins.block(session.environ, login, _renewal(session, login)).rstrip())
    elif not writes and not renews:
        _enter(session, login, command)


@deed(
    server,
    Verb.SERVER_CERTIFY,
    examples=["strongroom server certify genomics-1 --public-key ~/.ssh/id_ed25519.pub --minutes 30"],
)
@click.argument("server")
@click.option("--public-key", type=_KEY, metavar="FILE", required=True, help="The .pub file of a key of yours.")
@click.option("--minutes", type=click.IntRange(1), help="How long the certificate works.")
@click.option("--code", help="A code of your authenticator app, if one is needed.")
def certify(session: Session, server: str, public_key: Path, minutes: int | None, code: str | None) -> None:
    """Sign an SSH key of yours for a server.

    The certificate is written beside the key, where `ssh` finds it. `strongroom ssh` does all of this by itself.
    """
    line = public_key.read_text(encoding="utf-8").strip()
    sshcert.parse_public_key(line)  # a private key must not travel, not even to be refused
    issued = _issue(session, find.server(session.api, server)["id"], line, minutes, code)
    target = public_key.with_name(public_key.name.removesuffix(".pub") + "-cert.pub")
    files.write_private(target, issued["certificate"] + "\n")
    if session.out.is_quiet:
        session.out.text(str(target))
        return
    session.out.done(
        issued,
        f"{target} opens {issued['server_name']} for {issued['account']} until {words.moment(issued['valid_until'])}.",
        f"ssh -p {issued['port']} -o HostKeyAlias={issued['server_id']} {issued['account']}@{issued['host']}",
    )
    session.out.note(f"For ~/.ssh/known_hosts:\n{issued['known_hosts']}")


def _login(session: Session, named: str, identity: Path | None, minutes: int | None, code: str | None) -> Login:
    """A login that works now: a new certificate, or an earlier one where nobody can be asked for a code."""
    found = find.server(session.api, named)
    private, line = logins.public_key(session.environ, found["id"], identity)
    try:
        issued = _issue(session, found["id"], line, minutes, code)
    except Problem as problem:
        kept = logins.load(session.environ, found["id"])
        if problem.code == second_factor.NEEDED and kept and kept.is_good and kept.identity == private.absolute():
            return kept
        raise
    try:
        return logins.keep(session.environ, issued, private, logins.renewal(found["id"], session.profile_name))
    except ValueError as error:
        raise problems.unavailable(f"{error}: nothing was done.", "Tell the operator.", code="answer") from None


def _issue(session: Session, server_id: str, public_key: str, minutes: int | None, code: str | None) -> Json:
    where, body = path("servers", server_id, "certificates"), {"public_key": public_key, "minutes": minutes}
    return second_factor.proving(session, code, lambda: session.api.post(where, body))


def _enter(session: Session, login: Login, command: tuple[str, ...]) -> None:
    program = shutil.which("ssh")
    if program is None:
        raise problems.usage("There is no `ssh` on this machine.", "Install OpenSSH's client, and try again.")
    session.out.note(f"{login.account} on {login.name}, until {words.moment(login.valid_until.isoformat())}")
    told = [part for keyword, value in login.words() for part in ("-o", f"{keyword}={value}")]
    running = subprocess.Popen([program, *told, "--", login.host, *command], env=dict(session.environ))
    while (status := _ended(running)) is None:
        pass
    if status == _REFUSED:
        session.out.note(
            "Did ssh say “Permission denied”? The server lets new members in when its agent is heard next, within a "
            f"minute, and nobody once they left. See `strongroom server show {login.name}`."
        )
    click.get_current_context().exit(status)


def _ended(running: "subprocess.Popen[bytes]") -> int | None:
    """The exit code; a Ctrl-C is for what runs there."""
    with contextlib.suppress(KeyboardInterrupt):
        code = running.wait()
        return code if code >= 0 else 128 - code
    return None


def _include(session: Session) -> None:
    file, is_new = logins.include(session.environ)
    session.out.done(
        {"file": str(file), "changed": is_new},
        f"{file} reads the servers you logged in to: plain `ssh SERVER` works."
        if is_new
        else f"{file} reads the servers you logged in to already.",
    )


def _renewal(session: Session, login: Login) -> str:
    return logins.renewal(login.server_id, session.profile_name)
