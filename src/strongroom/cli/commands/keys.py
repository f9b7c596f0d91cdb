"""`strongroom key …`: the uploader's key pair. The secret is shown once, or goes straight into a file."""

import os
import shlex
from collections.abc import Callable
from typing import Any

import click

from strongroom.cli import asking, aws_profile, find, words
from strongroom.cli.deeds import Handler, Noun, deed
from strongroom.cli.output import Column, Json
from strongroom.cli.paths import path
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb

COLUMNS = (
    Column("ACCESS KEY", lambda item: item.get("access_key_id") or ""),
    Column("STATUS", lambda item: item["status"]),
    Column("ISSUED", lambda item: words.moment(item.get("issued_at"))),
    Column("EXPIRES", lambda item: words.moment(item.get("expires_at"))),
)


@click.group(cls=Noun)
def key() -> None:
    """Access keys for the upload: issue, list, reset, renew, revoke."""


def gives_secret(handler: Handler) -> Handler:
    """Options of commands that are given a secret."""
    for option in (
        click.option("--overwrite", is_flag=True, help="Also over a profile that is there."),
        click.option("--save", metavar="PROFILE", help="Write an AWS CLI profile and do not show the secret."),
        click.option("--output", type=click.Choice(["env", "json"]), help="Print for a shell or a program."),
    ):
        handler = option(handler)
    return handler


@deed(
    key,
    Verb.KEY_ISSUE,
    examples=[
        "strongroom key issue 'Cohort 2024'",
        "strongroom key issue 'Cohort 2024' --save cohort",
        "eval \"$(strongroom key issue 'Cohort 2024' --output env)\"",
    ],
)
@click.argument("dataset")
@gives_secret
def issue(session: Session, dataset: str, save: str | None, output: str | None, overwrite: bool) -> None:
    """Issue the key to upload with.

    It works for one pending data set. Its secret is shown once.
    """
    found = find.dataset(session.api, dataset)
    _hand_over(session, save, output, overwrite, lambda: session.api.create(path("datasets", found["id"], "keys")))


@deed(key, Verb.KEY_LIST, examples=["strongroom key list 'Cohort 2024'"])
@click.argument("dataset")
def list_(session: Session, dataset: str) -> None:
    """List the keys a data set has had; never their secrets."""
    found = find.dataset(session.api, dataset)
    keys = session.api.items(path("datasets", found["id"], "keys"))
    session.out.rows(keys, COLUMNS, empty=f"{found['name']} has had no key. Issue one with `strongroom key issue`.")


@deed(key, Verb.KEY_RESET, examples=["strongroom key reset 'Cohort 2024' --confirm 'Cohort 2024'"])
@click.argument("dataset")
@click.option("--reason", help="Why; support staff must say.")
@click.option("--confirm", metavar="NAME", help="The data set's exact name, instead of being asked.")
@gives_secret
def reset(session: Session, dataset: str, reason: str | None, confirm: str | None, **how: Any) -> None:
    """Replace a lost key.

    The old one dies now. Owners can do this once; after that, support can.
    """
    found = find.dataset(session.api, dataset)
    consequence = f"The present key of {found['name']} stops working now. A key can be reset once."
    body = {"reason": reason}
    where = path("datasets", found["id"], "keys", "reset")

    def ask_for_it() -> Json:
        asking.for_name(session, found["name"], consequence=consequence, given=confirm)
        return session.api.create(where, body)

    _hand_over(session, how["save"], how["output"], how["overwrite"], ask_for_it)


@deed(key, Verb.KEY_RENEW, examples=["strongroom key renew 'Cohort 2024' --days 14"])
@click.argument("dataset")
@click.option("--days", type=click.IntRange(1), help="How long from now; the server's usual if left out.")
def renew(session: Session, dataset: str, days: int | None) -> None:
    """Let the present key live longer.

    Its secret stays the same.
    """
    found = find.dataset(session.api, dataset)
    changed = session.api.post(path("datasets", found["id"], "keys", "renew"), {"days": days})
    session.out.done(changed, f"The key of {found['name']} works until {words.moment(changed['expires_at'])}.")


@deed(key, Verb.KEY_REVOKE, examples=["strongroom key revoke 'Cohort 2024' --confirm 'Cohort 2024'"])
@click.argument("dataset")
@click.option("--confirm", metavar="NAME", help="The data set's exact name, instead of being asked.")
def revoke(session: Session, dataset: str, confirm: str | None) -> None:
    """End the present key now."""
    found = find.dataset(session.api, dataset)
    consequence = f"The present key of {found['name']} stops working now."
    asking.for_name(session, found["name"], consequence=consequence, given=confirm)
    ended = session.api.delete(path("datasets", found["id"], "keys", "current"))
    session.out.done(ended, f"The key of {found['name']} no longer works.")


def _hand_over(
    session: Session, save: str | None, output: str | None, overwrite: bool, ask_for_it: Callable[[], Json]
) -> None:
    if session.out.is_quiet and not (save or output):
        raise usage(
            "--quiet would hide the secret, which is shown only once.", "Say --save PROFILE or --output env, too."
        )
    target = aws_profile.prepare(save, os.environ, overwrite=overwrite) if save else None
    issued = ask_for_it()
    if not issued.get("secret"):
        session.out.done(issued["key"], "The key is there.")
        session.out.warn(str(issued.get("note") or "Its secret was shown before, and is not shown again."))
        return
    if target:
        _save(session, target, issued)
    if output == "env":
        session.out.text("\n".join(f"export {name}={shlex.quote(value)}" for name, value in _variables(issued)))
    elif output == "json" or session.out.is_json:
        session.out.json({**issued, "secret": None} if target else issued)
    elif session.out.is_quiet:
        session.out.text(issued["key"]["access_key_id"])
    else:
        _show(session, issued, save)


def _save(session: Session, target: aws_profile.Target, issued: Json) -> None:
    pair = (issued["key"]["access_key_id"], issued["secret"])
    try:
        target.write(*pair, endpoint=issued["endpoint"], region=issued["region"])
    except OSError as error:
        # The secret exists only here: rather shown than lost.
        session.out.warn(f"The profile could not be written: {error}.")
        session.out.secret("Access key, shown this once", _variables(issued))
        raise


def _variables(issued: Json) -> list[tuple[str, str]]:
    return [
        ("AWS_ACCESS_KEY_ID", issued["key"]["access_key_id"]),
        ("AWS_SECRET_ACCESS_KEY", issued["secret"]),
        ("AWS_ENDPOINT_URL_S3", issued["endpoint"]),
        ("AWS_DEFAULT_REGION", issued["region"]),
    ]


def _show(session: Session, issued: Json, saved: str | None) -> None:
    until = words.moment(issued["key"].get("expires_at"))
    option, prefix = ("", "")
    if saved:
        option = f" --profile {shlex.quote(saved)}"
        session.out.done(issued["key"], f"Key {issued['key']['access_key_id']} is in the AWS CLI profile {saved}.")
    else:
        prefix = f" --endpoint-url {issued['endpoint']}"
        session.out.secret("Access key, shown this once", _variables(issued))
    session.out.note(f"It works until {until}, or until the data set is finalized.")
    session.out.steps(
        f"aws{option}{prefix} s3 sync FOLDER s3://{issued['repository']}",
        f"aws{option}{prefix} s3 ls --recursive s3://{issued['repository']}",
        f"strongroom dataset connect {issued['repository']}",
    )
