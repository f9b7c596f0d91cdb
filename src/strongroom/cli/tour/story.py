"""The story: a data set from its space to the proof that it is frozen, one chapter each."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from strongroom.cli import verify
from strongroom.cli.exits import Exit
from strongroom.cli.tour.clients import PROFILE, Client
from strongroom.cli.tour.stage import Stage
from strongroom.core.sshsig import NAMESPACE


@dataclass(frozen=True)
class Cast:
    """Who and what appears: names that are free, the client, and what the person may see of the ledger."""

    space: str
    dataset: str
    client: Client
    sees_whole_ledger: bool


def a_place(stage: Stage, cast: Cast) -> None:
    stage.chapter(
        "A place to work", "People work in spaces. Sensitive data lives only in spaces of moderate or high risk."
    )
    stage.run("strongroom", "space", "create", cast.space, "--risk", "high")


def a_dataset(stage: Stage, cast: Cast) -> None:
    stage.chapter(
        "An original data set",
        "An original is filled once, then frozen for good. It gets a repository (a bucket) of its own, open to nobody.",
    )
    options = (
        "--kind",
        "original",
        "--description",
        "Invented heart rates",
        "--classification",
        "PHI",
        "--format",
        "CSV",
    )
    stage.run("strongroom", "dataset", "create", cast.space, cast.dataset, *options)


def an_agreement(stage: Stage, cast: Cast) -> None:
    stage.chapter("The agreement", "What may be done with the data is kept with the data, and hashed.")
    title = "Data use agreement with the registry"
    stage.run("strongroom", "attachment", "add", cast.dataset, "agreement.pdf", "--title", title)


def a_key(stage: Stage, cast: Cast) -> None:
    stage.chapter(
        "The key to upload with",
        "One key for exactly this repository. Its secret is given out once: here it goes straight into a profile of the"
        " AWS CLI, in the tour's own folder, and is not shown.",
    )
    stage.set("AWS_SHARED_CREDENTIALS_FILE", str(stage.folder / "aws-credentials"))
    stage.set("AWS_CONFIG_FILE", str(stage.folder / "aws-config"))
    stage.run("strongroom", "key", "issue", cast.dataset, "--save", PROFILE)


def the_upload(stage: Stage, cast: Cast) -> None:
    stage.chapter(
        "The upload", f"Any S3 client will do. This is the real {cast.client.name}, speaking with the store itself."
    )
    settings = json.loads(stage.ask("strongroom", "dataset", "connect", cast.dataset, "--json"))
    stage.set("AWS_PROFILE", PROFILE)
    stage.set("REPOSITORY", settings["repository"])
    for name, value in cast.client.variables(settings["endpoint"]).items():
        stage.set(name, value)
    stage.run(*cast.client.upload("data"))
    stage.run(*cast.client.contents())
    stage.say(
        "The agreement lies in _attachments/, which the key sees but can neither read nor write. The data itself:"
    )
    stage.run("strongroom", "dataset", "contents", cast.dataset)


def what_the_key_may_not(stage: Stage, cast: Cast) -> None:
    stage.chapter(
        "What the key may not do", "It uploads, and nothing else. The store refuses the rest, not the client."
    )
    stage.say("Smuggle in an agreement of one's own:")
    stage.refused(*cast.client.put("late.csv", "_attachments/agreement.pdf"))
    opening = cast.client.open_to_all("open.json")
    if opening:
        stage.say("Open the data set to the world:")
        stage.refused(*opening)


def finalize(stage: Stage, cast: Cast) -> None:
    stage.chapter(
        "Finalize",
        "The upload is over. Strongroom takes the key's rights away, waits for what is still under way, lists what is"
        " there, and signs it. Nobody can change an original after that.",
    )
    stage.run("strongroom", "dataset", "finalize", cast.dataset, "--confirm", cast.dataset)


def frozen(stage: Stage, cast: Cast) -> None:
    stage.chapter(
        "Every further write is refused",
        "The same client with the same key, moments later. The store no longer knows the key; and the"
        " policy of the repository lets no client write, whoever asks.",
    )
    stage.say("Add a file:")
    stage.refused(*cast.client.put("late.csv", "late.csv"))
    stage.say("Overwrite one:")
    stage.refused(*cast.client.put("late.csv", "readings/2024-01.csv"))
    stage.say("Delete one:")
    stage.refused(*cast.client.delete("readings/2024-02.csv"))
    stage.say("Reading is over for the dead key, too. From now on only servers that are granted access can read:")
    stage.refused(*cast.client.contents())
    stage.refused(*cast.client.read("README.txt"))
    stage.say("Nor does Strongroom give out another key:")
    stage.caught("strongroom", "key", "issue", cast.dataset, code=Exit.CONFLICT, as_what="refused by Strongroom")


def the_proof(stage: Stage, cast: Cast) -> None:
    stage.chapter(
        "The proof",
        "The manifest lists every object with size and checksum. The receipt is signed and names the manifest by its"
        " hash. Both can be kept anywhere and checked years later, without Strongroom.",
    )
    stage.run("strongroom", "manifest", "download", cast.dataset, "-o", "manifest.jsonl")
    stage.run("strongroom", "receipt", "show", cast.dataset, "--save", "proof")
    stage.run("strongroom", "receipt", "verify", f"proof/{verify.RECEIPT}", "--manifest", "manifest.jsonl")
    if shutil.which("ssh-keygen"):
        stage.say("The same with OpenSSH alone:")
        signers = f"proof/{verify.SIGNERS}"
        identity = verify.signers(stage.folder / signers).identities[0]
        options = ("-f", signers, "-I", identity, "-n", NAMESPACE, "-s", f"proof/{verify.SIGNATURE}")
        stage.run("ssh-keygen", "-Y", "verify", *options, stdin=f"proof/{verify.RECEIPT}")
    else:
        stage.say("There is no ssh-keygen here; with OpenSSH the same check needs nothing of Strongroom.")
    _forgery(stage)


def the_ledger(stage: Stage, cast: Cast) -> None:
    stage.chapter("The ledger", "What was done through Strongroom, and what it refused, in a chain of hashes.")
    stage.run("strongroom", "audit", "list", "--dataset", cast.dataset, "--limit", "20")
    if cast.sees_whole_ledger:
        stage.run("strongroom", "audit", "verify")
    stage.say("An export can be checked anywhere, offline:")
    stage.run("strongroom", "audit", "export", "--space", cast.space, "-o", "ledger.jsonl")
    stage.run("strongroom", "audit", "verify", "--file", "ledger.jsonl")


CHAPTERS: tuple[Callable[[Stage, Cast], None], ...] = (
    a_place,
    a_dataset,
    an_agreement,
    a_key,
    the_upload,
    what_the_key_may_not,
    finalize,
    frozen,
    the_proof,
    the_ledger,
)


def _forgery(stage: Stage) -> None:
    stage.say("And a forgery: proof/forged.json is a copy of the receipt in which one figure was changed.")
    text = (stage.folder / "proof" / verify.RECEIPT).read_text(encoding="utf-8")
    count = json.loads(text)["object_count"]
    forged = text.replace(f'"object_count": {count}', f'"object_count": {count + 1}')
    (stage.folder / "proof" / "forged.json").write_text(forged, encoding="utf-8", newline="\n")
    trust = ("--signature", f"proof/{verify.SIGNATURE}", "--allowed-signers", f"proof/{verify.SIGNERS}")
    stage.caught(
        "strongroom", "receipt", "verify", "proof/forged.json", *trust, code=Exit.NOT_VERIFIED, as_what="found out"
    )
