"""Derivatives, promotion, and how a data set ends: what stays, and what is really gone."""

from typing import Any

import httpx
import pytest

from tests.journeys.api import Refused, Study
from tests.journeys.system import System, code_of_refusal


def _events(study: Study) -> list[str]:
    """Newest first."""
    return [each["verb"] for each in study.api.all("/audit", dataset_id=study.id) if each["outcome"] == "done"]


def _derivative(system: System, **fields: Any) -> Study:
    return system.uploaded(kind="derivative", external_source="A register elsewhere", **fields)


def test_a_derivative_starts_empty_and_names_its_sources(strongroom: System) -> None:
    source = strongroom.uploaded()
    source.api.attach(f"{source.path}/attachments", "dua.pdf", b"signed", title="DUA", kind="approval")
    strongroom.finalized(source)
    study = strongroom.study(kind="derivative", source_ids=[source.id])
    shown = study.show()
    assert (shown["derivative"], shown["source_ids"]) == (True, [source.id])
    assert strongroom.listing(study.repository) == {}
    assert study.api.get(f"{study.path}/attachments")["items"] == []
    # Its key is no way to the source.
    s3 = strongroom.s3(study)
    copy = {"Bucket": source.repository, "Key": "first/0.csv"}
    assert code_of_refusal(lambda: s3.copy_object(Bucket=study.repository, Key="x", CopySource=copy)) == "AccessDenied"
    with pytest.raises(Refused) as refused:
        source.api.post(f"{source.path}/request-deletion", reason="over")
    assert refused.value.code == "is-source"


@pytest.mark.parametrize("is_finalized", [False, True])
def test_a_derivative_becomes_an_original(strongroom: System, is_finalized: bool) -> None:
    study = _derivative(strongroom)
    if is_finalized:
        assert strongroom.finalized(study)["kind"] == "derivative"
    before = strongroom.listing(study.repository)
    study.api.post(f"{study.path}/promote", confirm_name=study.name)
    assert strongroom.s3_is_dead(study)
    shown = strongroom.settled(study)
    assert (shown["kind"], shown["derivative"], shown["object_count"]) == ("original", True, 3)
    assert strongroom.listing(study.repository) == before
    assert '"promoted_from_derivative":true' in study.api.get(f"{study.path}/receipt")["receipt"].replace(" ", "")
    assert _events(study).count("dataset.finalized") == 1 + is_finalized
    assert study.api.status_of("POST", f"{study.path}/promote", json={"confirm_name": study.name})[0] == 409


def test_a_pending_data_set_goes_at_once(strongroom: System) -> None:
    study = strongroom.uploaded()
    assert code_of_refusal(lambda: strongroom.s3(study).list_objects_v2(Bucket=study.repository)) == ""
    study.api.delete(study.path, confirm_name=study.name, reason="a mistake")
    assert strongroom.s3_is_dead(study)
    strongroom.settled(study, "deleted")
    _assert_gone(strongroom, study)


def test_a_finalized_data_set_ends_only_by_two_people(strongroom: System) -> None:
    study = strongroom.uploaded()
    made = study.api.attach(f"{study.path}/attachments", "dua.pdf", b"signed", title="DUA", kind="approval")
    strongroom.finalized(study)
    link = study.api.post(f"{study.path}/attachments/{made['id']}/link")["url"]
    root = study.show()["manifest_sha256"]
    steward, email = strongroom.person("steward")
    study.api.post(f"/spaces/{strongroom.space_id}/members", email=email, role="steward")

    assert study.api.status_of("DELETE", study.path, params={"confirm_name": study.name})[0] == 409
    study.api.post(f"{study.path}/request-deletion", reason="the study is over")
    confirm = f"{study.path}/confirm-deletion"
    assert study.api.status_of("POST", confirm, json={"confirm_name": study.name}) == (403, "same-person")
    assert len(strongroom.listing(study.repository)) == 4
    assert httpx.get(link, timeout=60).status_code == 200
    steward.post(confirm, confirm_name=study.name)
    shown = strongroom.settled(study, "deleted")

    _assert_gone(strongroom, study)
    assert httpx.get(link, timeout=60).status_code in (403, 404)
    assert (shown["manifest_sha256"], shown["deletion"]["reason"]) == (root, "the study is over")
    assert shown["deletion"]["confirmed_by"] == email
    assert '"manifest_root_sha256":"' + root in study.api.get(f"{study.path}/receipt")["receipt"].replace(" ", "")


def _assert_gone(system: System, study: Study) -> None:
    """Bucket, objects and keys are gone in the engine; the tombstone and the ledger say what was."""
    assert not system.engine.repository_exists(study.repository)
    assert study.access_key_id not in {key for keys in system.keys_in_engine().values() for key in keys}
    assert _events(study)[0] == "dataset.deleted"
    assert study.show()["state"] == "deleted"
    assert system.administrator.get("/audit/verify")["is_intact"]
