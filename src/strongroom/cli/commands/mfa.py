"""`strongroom mfa …`: the authenticator app that proves that it is you."""

import sys

import click

from strongroom.cli import asking, find, second_factor, words
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.cli.session import Session
from strongroom.core.vocabulary import Verb


@click.group(cls=Noun)
def mfa() -> None:
    """Your second factor: an authenticator app with recovery codes.

    Logging in to a server needs it. CODE is what the app shows, or a recovery code; it is asked for if left out.
    """


@deed(mfa, Verb.MFA_SHOW, examples=["strongroom mfa show"])
def show(session: Session) -> None:
    """Show whether you have one, and whether it is proved."""
    factor = session.api.get("/mfa")
    session.out.record(factor, _facts(factor))


@deed(mfa, Verb.MFA_ENROL, examples=["strongroom mfa enrol", "strongroom mfa enrol --json"])
def enrol(session: Session) -> None:
    """Teach an authenticator app a new secret.

    Any app will do. On a terminal a QR code is shown and the first code asked for; elsewhere go on with `mfa confirm`.
    """
    begun = session.api.create("/mfa/enrol")
    if session.out.is_json or session.out.is_quiet:
        session.out.json(begun) if session.out.is_json else session.out.text(str(begun["uri"]))
        return
    if sys.stdout.isatty():
        print(second_factor.picture(begun["uri"]))
    session.out.pairs([("secret", begun["secret"]), ("address", begun["uri"])])
    session.out.note("Scan the picture or type the secret: shown this once, and nothing counts before a code came.")
    if session.is_interactive:
        _confirm(session, None)
    else:
        session.out.steps("strongroom mfa confirm CODE")


@deed(mfa, Verb.MFA_CONFIRM, examples=["strongroom mfa confirm 492039", "strongroom mfa confirm"])
@click.argument("code", required=False)
def confirm(session: Session, code: str | None) -> None:
    """Finish enrolling, with the first code of the app.

    The recovery codes it prints are shown once. Keep them apart from the phone: each opens once what a code opens.
    """
    _confirm(session, code)


@deed(mfa, Verb.MFA_PROVE, examples=["strongroom mfa prove 492039", "strongroom mfa prove"])
@click.argument("code", required=False)
def prove(session: Session, code: str | None) -> None:
    """Prove that it is you, for the next hour or so.

    It counts for the token of this profile alone.
    """
    factor = second_factor.prove(session, code)
    session.out.done(factor, f"Proved until {words.moment(factor['proof_ends_at'])}.")
    _warn_of_few(session, factor)


@deed(mfa, Verb.MFA_REMOVE, examples=["strongroom mfa remove 492039", "strongroom mfa remove"])
@click.argument("code", required=False)
def remove(session: Session, code: str | None) -> None:
    """Forget the app, with a last code."""
    left = second_factor.asking(session, code, lambda typed: session.api.post("/mfa/remove", {"code": typed}))
    session.out.done(left, "You have no second factor any more.", "strongroom mfa enrol")


@deed(mfa, Verb.MFA_RESET, examples=["strongroom mfa reset ada@example.org --reason 'lost the phone; seen in person'"])
@click.argument("person")
@click.option("--reason", required=True, help="Why; it stays in the ledger.")
@click.option("--confirm", metavar="E-MAIL", help="Their e-mail address, instead of being asked.")
def reset(session: Session, person: str, reason: str, confirm: str | None) -> None:
    """Take away the second factor of somebody who lost it.

    For administrators. Be sure that it is them: whoever asks could be who holds their password.
    """
    found = find.person(session.api, person)
    consequence = f"{found['email']} will have no second factor until they enrol one; what they proved ends now."
    asking.for_name(session, found["email"], consequence=consequence, given=confirm)
    changed = session.api.post(path("people", found["id"], "mfa", "reset"), {"reason": reason})
    session.out.done({**found, **changed}, f"{found['email']} has no second factor any more.")


def _confirm(session: Session, given: str | None) -> None:
    confirmed = second_factor.asking(
        session, given, lambda typed: session.api.create("/mfa/confirm", {"code": typed}), what="First code of the app"
    )
    codes = confirmed.get("recovery_codes") or []
    if session.out.is_quiet:
        session.out.text("\n".join(map(_grouped, codes)))
        return
    session.out.done(confirmed, f"Your app counts, and is proved until {words.moment(confirmed['proof_ends_at'])}.")
    if session.out.is_json:
        return
    if codes:
        session.out.heading("Recovery codes, shown this once; each works once when the app is not at hand")
        session.out.text("\n".join(f"    {_grouped(each)}" for each in codes))
    elif confirmed.get("note"):
        session.out.warn(str(confirmed["note"]))


def _facts(factor: Json) -> list[tuple[str, object]]:
    if not factor["is_enrolled"]:
        return [("enrolled", "no: strongroom mfa enrol")]
    return [
        ("enrolled", words.moment(factor["enrolled_at"])),
        ("last used", words.moment(factor["last_used_at"])),
        ("recovery codes left", str(factor["recovery_codes_left"])),
        ("proved until", words.moment(factor["proof_ends_at"]) or "not with this token"),
    ]


def _warn_of_few(session: Session, factor: Json) -> None:
    if factor["recovery_codes_left"] <= 2 and not session.out.is_quiet:
        session.out.warn(
            f"{factor['recovery_codes_left']} recovery codes are left. New ones come with `mfa remove` and `mfa enrol`."
        )


def _grouped(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
