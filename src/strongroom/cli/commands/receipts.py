"""`strongroom receipt …`: the signed statement of what was frozen, and its check without any server."""

from pathlib import Path

import click

from strongroom.cli import files, find, verify, words
from strongroom.cli.deeds import Noun, command, deed
from strongroom.cli.output import Json
from strongroom.cli.paths import path
from strongroom.cli.problems import usage
from strongroom.cli.session import Session
from strongroom.core.digest_receipt import DigestReceipt
from strongroom.core.receipt import Receipt
from strongroom.core.vocabulary import Verb

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Noun)
def receipt() -> None:
    """The signed statement of what was frozen."""


@deed(
    receipt,
    Verb.RECEIPT_SHOW,
    examples=["strongroom receipt show 'Cohort 2024'", "strongroom receipt show 'Cohort 2024' --save ./proof"],
)
@click.argument("dataset")
@click.option(
    "--save",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=f"Write {verify.RECEIPT}, {verify.DIGESTS}, their signatures, {verify.SIGNERS} and {verify.PUBLIC_KEY} there.",
)
@click.option("--overwrite", is_flag=True, help="Also over files that are there.")
def show(session: Session, dataset: str, save: Path | None, overwrite: bool) -> None:
    """Show or save a receipt."""
    found = find.dataset(session.api, dataset)
    signed = session.api.get(path("datasets", found["id"], "receipt"))
    if save:
        _save(signed, save, overwrite)
        session.out.done(
            {**signed, "folder": str(save)},
            f"The receipt of {found['name']} is in {save}.",
            f"strongroom receipt verify {save / verify.RECEIPT}",
        )
    elif session.out.is_json:
        session.out.json(signed)
    else:
        session.out.text(signed["receipt"].rstrip("\n"))
        session.out.note("Its signature comes with --save DIR or --json.")


def _save(signed: Json, folder: Path, overwrite: bool) -> None:
    texts = {
        folder / verify.RECEIPT: signed["receipt"],
        folder / verify.SIGNATURE: signed["signature"],
        folder / verify.SIGNERS: signed["allowed_signers"].rstrip("\n") + "\n",
        folder / verify.PUBLIC_KEY: signed["public_key"].rstrip("\n") + "\n",
    }
    if later := signed.get("digests"):
        texts |= {folder / verify.DIGESTS: later["receipt"], folder / verify.DIGESTS_SIGNATURE: later["signature"]}
    if not overwrite:
        files.refuse_overwrite(texts, option="--overwrite")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        files.write_private(file, text)


@command(
    receipt,
    "verify",
    examples=[
        "strongroom receipt verify proof/receipt.json --manifest manifest.jsonl",
        "strongroom receipt verify proof/digests.json --manifest manifest-sha256.txt",
        "strongroom receipt verify receipt.json --allowed-signers ~/strongroom.signers",
    ],
)
@click.argument("receipt", type=FILE)
@click.option("--signature", type=FILE, help="The signature; the receipt's name with .sig if left out.")
@click.option("--key", type=FILE, help="A public key you trust (a .pub file).")
@click.option(
    "--allowed-signers", type=FILE, help="Public keys you trust; `allowed_signers` beside the receipt if left out."
)
@click.option("--manifest", type=FILE, help="Also check that this is the manifest it speaks of.")
def check(
    session: Session,
    receipt: Path,
    signature: Path | None,
    key: Path | None,
    allowed_signers: Path | None,
    manifest: Path | None,
) -> None:
    """Check a receipt of either kind offline.

    Who signed it, that nothing in it was changed, and with --manifest that this is the list it speaks of.
    """
    signature_file = signature or receipt.with_name(receipt.name + ".sig")
    trust = _trust(receipt, key, allowed_signers)
    if not signature_file.exists():
        raise usage(f"There is no signature {signature_file}.", "Name it with --signature.")
    text = receipt.read_bytes()
    made_by = verify.signature(text, signature_file.read_text(encoding="utf-8"), trust)
    said = verify.content(text)
    by_hand = verify.by_hand(receipt, signature_file, trust)
    result = {"is_valid": True, "key": made_by, "dataset_id": str(said.dataset_id), "name": said.name}
    result |= {"manifest_root_sha256": said.manifest_root_sha256, "by_hand": by_hand}
    result |= {"manifest_checked": manifest is not None}
    if isinstance(said, DigestReceipt):
        facts = _facts_of_digests(said, made_by, receipt, manifest)
        result |= {"digests_sha256": said.digests_sha256, "bagit_sha256": said.bagit_sha256}
    else:
        facts = _facts(said, made_by, verify.manifest_file(manifest, said) if manifest else None)
    session.out.record(result, facts)
    if not key and not allowed_signers:
        session.out.note(f"The key came with the receipt ({trust.file}): compare its fingerprint with one you trust.")
    if not key:
        session.out.steps(by_hand, title="The same with OpenSSH alone:")


def _trust(receipt: Path, key: Path | None, allowed_signers: Path | None) -> verify.Trust:
    beside = receipt.with_name(verify.SIGNERS)
    file = key or allowed_signers or (beside if beside.exists() else None)
    if not file:
        raise usage(
            "Whose signature is to be believed?",
            "Name the key you trust with --key or --allowed-signers; a server tells its own at /api/v1/receipt-key.",
        )
    return verify.signers(file)


def _facts_of_digests(said: DigestReceipt, made_by: str, file: Path, manifest: Path | None) -> list[tuple[str, object]]:
    """After checking what it speaks of: the list, and the first receipt where it lies beside."""
    listed, first = verify.list_file(manifest, said) if manifest else "", file.with_name(verify.RECEIPT)
    has_first = first.exists() and first != file
    if has_first:
        verify.belongs_together(first, said)
    return [
        ("signature", "✓ good, by the key " + made_by),
        ("manifest", f"✓ matches, as {listed}" if listed else "not checked (--manifest FILE)"),
        ("first receipt", f"✓ {first}" if has_first else "not there to be compared"),
        ("data set", said.name),
        ("digests completed", words.moment(said.completed_at.isoformat())),
        ("content", f"{words.counted(said.object_count, 'object')}, {words.size(said.size_bytes)}"),
        ("read by Strongroom", words.counted(said.computed_count, "object")),
        ("digests sha256", said.digests_sha256),
        ("bag sha256", said.bagit_sha256),
        ("root sha256", said.manifest_root_sha256),
        ("ledger", f"entry {said.ledger_sequence:,}, {said.ledger_hash}"),
        ("repository", said.repository),
    ]


def _facts(said: Receipt, made_by: str, listed: int | None) -> list[tuple[str, object]]:
    return [
        ("signature", "✓ good, by the key " + made_by),
        (
            "manifest",
            f"✓ matches, {words.counted(listed, 'object')}" if listed is not None else "not checked (--manifest FILE)",
        ),
        ("data set", said.name),
        ("kind", said.kind.value + (" (promoted from a derivative)" if said.promoted_from_derivative else "")),
        ("finalized", f"{words.moment(said.finalized_at.isoformat())} by {said.finalized_by}"),
        ("content", f"{words.counted(said.object_count, 'object')}, {words.size(said.size_bytes)}"),
        ("root sha256", said.manifest_root_sha256),
        ("locked until", words.moment(said.locked_until.isoformat()) if said.locked_until else None),
        ("documents", [document.filename for document in said.attachments]),
        ("ledger", f"entry {said.ledger_sequence:,}, {said.ledger_hash}"),
        ("repository", said.repository),
    ]
