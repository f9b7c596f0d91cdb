"""The description for other systems is read by the RO-Crate library, and tells sources, agreements and proof."""

import gzip
import io
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from strongroom.actions import checking, crates, inventory, manifests
from strongroom.core.errors import Unavailable
from strongroom.core.vocabulary import Kind
from strongroom.db.models import Dataset, DigestList, Manifest
from tests.actions.attempts import attach
from tests.world import World, actor_of

FILES = {"a.csv": b"1", "50% #1?.csv": b"2", "c:d.txt": b"3", "été/ü.txt": b"4"}


def read(world: World, dataset_id: object, folder: Path) -> ROCrate:
    """What the library makes of it, with the files beside it."""
    dataset = Dataset.objects.get(id=dataset_id)
    text = crates.show(actor_of(dataset.created_by), dataset.id)
    (folder / "ro-crate-metadata.json").write_text(text)
    return ROCrate(folder)


def test_the_library_reads_an_original_with_its_agreement_and_proof(world: World, tmp_path: Path) -> None:
    dataset = world.dataset(name="Cohort 2024", description="Scans", data_classifications=["HIPAA"])
    document = attach(actor_of(dataset.created_by), dataset)
    world.uploaded(dataset, **FILES)
    world.finalized(dataset)
    checking.run_due()
    for key, content in FILES.items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content)
    crate = read(world, dataset.id, tmp_path)
    assert (crate.name, crate.description, crate.root_dataset["keywords"]) == ("Cohort 2024", "Scans", "HIPAA")
    assert crate.root_dataset["identifier"] == f"urn:uuid:{dataset.id}"
    told = {each.id: each for each in crate.data_entities}
    assert {each["name"] for each in told.values()} >= set(FILES)
    bagit = next(each for each in told.values() if "form=bagit" in each.id)
    assert bagit["sha256"] == DigestList.objects.get().bagit_sha256
    manifest = manifests.show(actor_of(dataset.created_by), dataset.id)
    assert manifest.root_sha256 in {each.get("sha256") for each in told.values()}
    agreement = crate.dereference(f"#attachment-{document.id}")
    assert agreement["name"] == document.title
    finalization = crate.dereference("#finalization")
    assert finalization["agent"]["email"] == dataset.created_by.email


@pytest.mark.parametrize("has_digests", [True, False])
def test_the_files_of_a_list_that_was_altered_are_not_described(world: World, has_digests: bool) -> None:
    dataset = world.dataset()
    world.uploaded(dataset, **FILES)
    world.finalized(dataset)
    if has_digests:
        checking.run_due()
    recorded = Manifest.objects.get(dataset=dataset)
    key = recorded.digests.object_key if has_digests else recorded.object_key
    lines = gzip.decompress(b"".join(world.engine.read_object(inventory.records(), key))).splitlines(keepends=True)
    world.engine.put_object(inventory.records(), key, io.BytesIO(gzip.compress(b"".join(lines[:-1]))))
    with pytest.raises(Unavailable, match="altered"):
        crates.show(actor_of(dataset.created_by), dataset.id)


def test_a_derivative_names_its_sources(world: World, tmp_path: Path) -> None:
    source = world.finalized()
    dataset = world.dataset(source.space, kind=Kind.DERIVATIVE, source_ids=[source.id], external_source="A registry")
    world.uploaded(dataset)
    world.finalized(dataset)
    (tmp_path / "first.csv").write_bytes(b"")
    crate = read(world, dataset.id, tmp_path)
    based_on = {each.id for each in crate.root_dataset["isBasedOn"]}
    assert based_on == {f"urn:uuid:{source.id}", "#origin"}
    assert crate.dereference(f"urn:uuid:{source.id}")["name"] == source.name
