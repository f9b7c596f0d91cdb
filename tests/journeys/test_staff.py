"""Platform staff keep the system running; they do not get at what people store in it."""

import pytest

from tests.journeys.system import System


@pytest.mark.parametrize("staff_role", ["administrator", "support"])
def test_staff_do_not_reach_contents_documents_or_keys(strongroom: System, staff_role: str) -> None:
    study = strongroom.uploaded()
    document = study.api.attach(f"{study.path}/attachments", "dua.pdf", b"signed", title="DUA", kind="approval")
    staff, _ = strongroom.person(staff_role, staff_role)
    one = f"{study.path}/attachments/{document['id']}"
    wanted = [
        ("GET", f"{study.path}/contents", {}),
        ("GET", f"{study.path}/connect", {}),
        ("GET", f"{study.path}/attachments", {}),
        ("POST", f"{one}/link", {}),
        ("DELETE", one, {}),
        ("POST", f"{study.path}/keys", {}),
        ("POST", f"{study.path}/keys/renew", {"json": {}}),
        ("DELETE", f"{study.path}/keys/current", {}),
        ("PATCH", study.path, {"json": {"description": "x"}}),
        ("POST", f"{study.path}/finalize", {"json": {"confirm_name": study.name}}),
        ("DELETE", study.path, {"params": {"confirm_name": study.name}}),
    ]
    answers = {(method, path): staff.status_of(method, path, **more)[0] for method, path, more in wanted}
    assert answers == {(method, path): 403 for method, path, _ in wanted}
    assert study.api.get(f"{study.path}/contents")["items"]
    assert strongroom.s3(study).list_objects_v2(Bucket=study.repository)["KeyCount"] == 4


def test_a_stranger_does_not_learn_that_it_exists(strongroom: System) -> None:
    study = strongroom.uploaded()
    stranger, _ = strongroom.person("stranger")
    for path in ("", "/contents", "/keys", "/attachments", "/connect", "/manifest", "/receipt"):
        assert stranger.status_of("GET", study.path + path)[0] == 404, path
        assert study.api.status_of("GET", study.path + path)[0] in (200, 404, 409), path
    assert study.id not in {each["id"] for each in stranger.all("/datasets")}
