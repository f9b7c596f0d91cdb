"""What forms of data sets do that people do not see: Enter, and two people with the same page open."""

from strongroom.db.models import Dataset
from tests.console.datasets.shown import sent
from tests.console.signed_in import browser
from tests.world import World


def _name(world: World) -> str:
    return Dataset.objects.get().name


def test_enter_creates_and_is_a_search_only_in_the_field_for_searching(world: World) -> None:
    space = world.space()
    client, path = browser(world.owner(space)), f"/spaces/{space.id}/datasets/new"
    written = {"kind": "original", "name": "By Enter", "searched": ""}
    client.post(path, {**written, "search": "cohort"})
    assert not Dataset.objects.exists()
    client.post(path, {**written, "search": ""})
    assert _name(world) == "By Enter"


def test_the_button_creates_whatever_stands_in_the_search(world: World) -> None:
    space = world.space()
    form = {"kind": "original", "name": "Pressed", "searched": "", "search": "cohort", "create": "1"}
    browser(world.owner(space)).post(f"/spaces/{space.id}/datasets/new", form)
    assert _name(world) == "Pressed"


def test_only_what_differs_from_the_form_as_it_was_is_written(world: World) -> None:
    dataset = world.dataset(name="Shared", description="first")
    client, path = browser(world.owner(dataset.space)), f"/datasets/{dataset.id}/edit"
    sent(client, path, owner_contact="Ward 7", was_owner_contact="")
    stale = {"owner_contact": "", "was_owner_contact": "", "description": "second\r\nline", "was_description": "first"}
    sent(client, path, **stale)
    dataset.refresh_from_db()
    assert (dataset.owner_contact, dataset.description) == ("Ward 7", "second\nline")
    assert "Nothing was changed." in sent(client, path, description="second\nline", was_description="second\r\nline")


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten_unseen(world: World) -> None:
    dataset = world.dataset(name="Shared", description="theirs")
    client, path = browser(world.owner(dataset.space)), f"/datasets/{dataset.id}/edit"
    response = client.post(path, {"description": "mine", "was_description": "before both"})
    page = response.content.decode()
    assert response.status_code == 409
    assert "it says “theirs” now" in page and ">mine</textarea>" in page
    assert 'name="was_description" value="theirs"' in page
    sent(client, path, description="mine", was_description="theirs")
    dataset.refresh_from_db()
    assert dataset.description == "mine"
