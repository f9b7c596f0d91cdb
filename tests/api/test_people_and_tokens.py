"""From a code to a token to further tokens, over HTTP."""

import json

from strongroom.actions import people
from tests.api.callers import Caller, calling
from tests.api.test_problems import problem
from tests.world import World


def test_a_person_is_made_signs_in_once_and_sees_themselves(world: World) -> None:
    root = calling(world.administrator)
    answer = root("POST", "/people", {"email": "Ada@example.org", "name": "Ada"})
    assert answer.status_code == 201
    made = json.loads(answer.content)
    assert (made["email"], made["staff_role"], made["note"]) == ("ada@example.org", None, None)
    signed_in = json.loads(Caller()("POST", "/sign-in", {"code": made["sign_in_code"]}).content)
    assert signed_in["person"]["id"] == made["id"]
    ada = Caller(signed_in["token"])
    assert json.loads(ada("GET", "/people/me").content)["email"] == "ada@example.org"
    problem(Caller()("POST", "/sign-in", {"code": made["sign_in_code"]}), 401, "sign-in-refused")


def test_guessing_codes_is_stopped(world: World) -> None:
    for _ in range(10):
        problem(Caller()("POST", "/sign-in", {"code": "0000-0000-0000-0000"}), 401, "sign-in-refused")
    answer = Caller()("POST", "/sign-in", {"code": "0000-0000-0000-0000"})
    problem(answer, 429, "too-many")
    assert answer.headers["Retry-After"] == "900"


def test_a_token_makes_a_narrower_one_and_ends(world: World) -> None:
    ada = calling(world.person("ada"))
    made = json.loads(ada("POST", "/tokens", {"name": "nightly", "scopes": ["read"], "days": 7}).content)
    nightly = Caller(made["secret"])
    assert nightly("GET", "/spaces").status_code == 200
    problem(nightly("POST", "/spaces", {"name": "S", "risk_level": "low"}), 403, "scope")
    listed = json.loads(ada("GET", "/tokens").content)["items"]
    assert made["id"] in {each["id"] for each in listed}
    assert all("secret" not in each for each in listed)
    assert nightly("DELETE", "/tokens/current").status_code == 200
    assert "revoked" in str(problem(nightly("GET", "/spaces"), 401, "unauthenticated")["detail"])


def test_a_patch_changes_what_it_names_and_null_makes_an_ordinary_person(world: World) -> None:
    ada = world.person("ada")
    root = calling(world.administrator)
    path = f"/people/{ada.person_id}"
    assert json.loads(root("PATCH", path, {"staff_role": "support"}).content)["staff_role"] == "support"
    assert json.loads(root("PATCH", path, {"name": "Ada L."}).content)["staff_role"] == "support"
    assert json.loads(root("PATCH", path, {"staff_role": None}).content)["staff_role"] is None
    problem(root("PATCH", path, {"name": None}), 422, "invalid")


def test_an_invitation_and_a_disabled_person(world: World) -> None:
    ada = world.person("ada")
    root = calling(world.administrator)
    code = json.loads(root("POST", f"/people/{ada.person_id}/invite").content)["sign_in_code"]
    answer = root("POST", f"/people/{ada.person_id}/disable", {"reason": "left"})
    assert json.loads(answer.content)["is_active"] is False
    problem(Caller()("POST", "/sign-in", {"code": code}), 401, "sign-in-refused")


def test_a_list_of_people_is_paged(world: World) -> None:
    for number in range(5):
        people.create(world.administrator, email=f"p{number}@example.net", name=f"P{number}")
    root, found, cursor = calling(world.administrator), [], ""
    while True:
        page = json.loads(root("GET", f"/people?search=example.net&limit=2{cursor}").content)
        found += [each["email"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [f"p{number}@example.net" for number in range(5)]
