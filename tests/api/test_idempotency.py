"""A create that is repeated under its key is answered again."""

import json

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from strongroom.core.vocabulary import Scope
from strongroom.db.models import Attachment, Space, UploadKey
from tests.api.callers import Caller, calling
from tests.api.test_problems import problem
from tests.bearers import secret_of
from tests.threads import at_once
from tests.world import World

SPACE = {"name": "Study", "risk_level": "high"}


def test_the_repetition_gets_the_first_answer(world: World) -> None:
    ada = calling(world.person("ada"))
    first = ada("POST", "/spaces", SPACE, Idempotency_Key="k")
    second = ada("POST", "/spaces", SPACE, Idempotency_Key="k")
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (second.status_code, json.loads(second.content)) == (201, json.loads(first.content))
    assert Space.objects.count() == 1


def test_another_request_under_the_key_is_refused(world: World) -> None:
    secret = secret_of(world.person("ada"))
    ada = Caller(secret)
    ada("POST", "/spaces", SPACE, Idempotency_Key="k")
    problem(ada("POST", "/spaces", {**SPACE, "name": "Other"}, Idempotency_Key="k"), 409, "idempotency-mismatch")
    problem(ada("POST", "/tokens", SPACE, Idempotency_Key="k"), 422, "invalid")


def test_a_weaker_token_of_the_same_person_does_not_get_the_answer(world: World) -> None:
    person = world.person("ada")
    calling(person)("POST", "/spaces", SPACE, Idempotency_Key="k")
    weaker = Caller(secret_of(person, scopes=(Scope.READ,)))
    problem(weaker("POST", "/spaces", SPACE, Idempotency_Key="k"), 409, "idempotency-mismatch")


def test_a_secret_is_shown_once_and_the_repetition_says_so(world: World) -> None:
    dataset = world.dataset()
    owner = calling(world.owner(dataset.space))
    path = f"/datasets/{dataset.id}/keys"
    first = json.loads(owner("POST", path, Idempotency_Key="k").content)
    second = json.loads(owner("POST", path, Idempotency_Key="k").content)
    assert first["secret"]
    assert first["note"] is None
    assert second["secret"] is None
    assert "not stored" in second["note"]
    assert first["key"] == second["key"]
    assert UploadKey.objects.count() == 1


def test_an_upload_is_known_again_by_its_content_not_its_boundary(world: World) -> None:
    dataset = world.dataset()
    owner = calling(world.owner(dataset.space))

    def upload(content: bytes) -> HttpResponse:
        form = {"title": "DUA", "kind": "other", "file": SimpleUploadedFile("dua.pdf", content)}
        return owner("POST", f"/datasets/{dataset.id}/attachments", form=form, Idempotency_Key="k")

    assert json.loads(upload(b"one").content) == json.loads(upload(b"one").content)
    problem(upload(b"two"), 409, "idempotency-mismatch")
    assert Attachment.objects.count() == 1


def test_a_refusal_is_not_remembered(world: World) -> None:
    root = calling(world.administrator)
    dataset = world.dataset()
    problem(root("POST", f"/datasets/{dataset.id}/keys", Idempotency_Key="k"), 403, "role")
    assert root("POST", "/spaces", SPACE, Idempotency_Key="k").status_code == 201


def test_of_six_at_once_one_is_carried_out(lasting_world: World) -> None:
    secret = secret_of(lasting_world.person("ada"))
    answers = at_once([lambda: Caller(secret)("POST", "/spaces", SPACE, Idempotency_Key="k")] * 6)
    statuses = [answer.status_code for answer in answers]  # type: ignore[attr-defined]
    assert set(statuses) <= {201, 409}
    assert Space.objects.count() == 1
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 409)  # type: ignore[attr-defined]
