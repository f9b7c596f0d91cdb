"""The command `strongroom tour`: asks, tells the story in a folder of its own, sums up."""

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import click

from strongroom.cli import words
from strongroom.cli.deeds import command
from strongroom.cli.exits import Exit
from strongroom.cli.problems import Problem, usage
from strongroom.cli.session import Session
from strongroom.cli.tour import clients, sample
from strongroom.cli.tour.stage import Stage
from strongroom.cli.tour.story import CHAPTERS, Cast
from strongroom.core.vocabulary import StaffRole

_EXAMPLES = ("strongroom tour", "strongroom tour --yes --keep")


def add_to(group: click.Group) -> None:
    """Hang the command below the root."""

    @click.option("--yes", is_flag=True, help="Do not ask, and do not wait between chapters.")
    @click.option("--keep", is_flag=True, help="Keep the folder with the sample data, the proof and the dead key.")
    @click.option("--client", type=click.Choice(list(clients.CLIENTS)), help="Upload with this one; else what is here.")
    def tour(session: Session, yes: bool, keep: bool, client: str | None) -> None:
        """Walk through a data set's whole life on sample data.

        Every command and every refusal is shown. It makes a space and a finalized data set that stay on the server.
        Exits 1 if anything did not go as told.
        """
        _tell(session, clients.found(client), is_paced=not yes, keep=keep)

    command(group, "tour", examples=_EXAMPLES)(tour)


def _tell(session: Session, client: clients.Client, *, is_paced: bool, keep: bool) -> None:
    me = session.api.get("/people/me")
    mark = secrets.token_hex(2)
    cast = Cast(f"tour-{mark}", f"heart-{mark}", client, me.get("staff_role") == StaffRole.ADMINISTRATOR)
    if is_paced:
        _ask(session, cast)
    folder = Path(tempfile.mkdtemp(prefix="strongroom-tour-"))
    stage = Stage(folder, _programs(client), chapters=len(CHAPTERS), is_paced=is_paced)
    is_told = False
    try:
        sample.write(folder)
        _begin(session, stage)
        for chapter in CHAPTERS:
            chapter(stage, cast)
        _sum_up(stage, cast, keep=keep)
        is_told = True
    finally:
        if not is_told:
            session.out.note(f"What was made so far stays: see `strongroom space show {cast.space}`.")
        if keep:
            session.out.note(f"The folder is {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _ask(session: Session, cast: Cast) -> None:
    if not session.is_interactive:
        raise usage("The tour makes a space and a data set that stay.", "Say --yes if that is fine.")
    click.echo(
        f"The tour makes the space {cast.space} and the data set {cast.dataset} at {session.signed_in.url}.", err=True
    )
    if not click.confirm("They stay there. Begin?", default=True, err=True):
        raise Problem("Nothing was done.", Exit.OK)


def _begin(session: Session, stage: Stage) -> None:
    stage.say(
        f"Everything below is really done, at {session.signed_in.url}, and can be repeated by hand: each line that"
        " begins with $ is a command as it is typed, in this folder."
    )
    stage.suggest("cd", str(stage.folder))
    if session.profile_name != "default":
        stage.set("STRONGROOM_PROFILE", session.profile_name)
    # Whatever keys this person has for other stores stay out of the tour.
    for name in [name for name in os.environ if name.startswith(("AWS_", "RCLONE_"))]:
        del os.environ[name]
    stage.variables["AWS_EC2_METADATA_DISABLED"] = "true"


def _programs(client: clients.Client) -> dict[str, list[str]]:
    return {
        "strongroom": [sys.executable, "-m", "strongroom.cli"],
        "aws": [client.program],
        "rclone": [client.program],
    }


def _sum_up(stage: Stage, cast: Cast, *, keep: bool) -> None:
    tally = stage.tally
    stage.ending("What you saw")
    stage.good(f"{words.counted(tally.commands, 'command')}, all of them as told")
    stage.good(f"{words.counted(tally.refusals, 'attempt')} refused by the store itself")
    stage.good(f"{words.counted(tally.caught, 'attempt')} refused or found out by Strongroom")
    stage.say(
        f"The space {cast.space} and the frozen data set {cast.dataset} stay. A finalized data set ends only by two"
        " people: one asks for it, another confirms."
    )
    stage.suggest("strongroom", "dataset", "show", cast.dataset)
    stage.suggest("strongroom", "dataset", "request-deletion", cast.dataset, "--reason", "only a tour")
    if not keep:
        stage.say("The folder and the dead key in it are gone (--keep keeps them).")
