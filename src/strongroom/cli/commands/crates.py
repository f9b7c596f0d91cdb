"""`strongroom crate …`: a data set as other systems read it."""

from pathlib import Path

import click

from strongroom.cli import files, find
from strongroom.cli.deeds import Noun, deed
from strongroom.cli.paths import path
from strongroom.cli.session import Session
from strongroom.core import crate as rules
from strongroom.core.vocabulary import Verb


@click.group(cls=Noun)
def crate() -> None:
    """RO-Crate metadata: a data set described for other systems."""


@deed(
    crate,
    Verb.CRATE_SHOW,
    examples=["strongroom crate show 'Cohort 2024'", f"strongroom crate show 'Cohort 2024' -o cohort/{rules.FILE}"],
)
@click.argument("dataset")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Write it there; its place is beside the files, as {rules.FILE}.",
)
@click.option("--overwrite", is_flag=True, help="Also over a file that is there.")
def show(session: Session, dataset: str, output: Path | None, overwrite: bool) -> None:
    """Show or save the RO-Crate metadata.

    Sources, agreements, who did what, and where the manifest and the receipt can be fetched.
    """
    found = find.dataset(session.api, dataset)
    where = path("datasets", found["id"], "crate")
    if output is None:
        session.out.json(session.api.get(where))
        return
    if not overwrite:
        files.refuse_overwrite([output], option="--overwrite")
    with session.api.download(where) as chunks:
        files.write_stream(output, chunks)
    session.out.done({"file": str(output)}, f"{output}: the description of {found['name']}.")
