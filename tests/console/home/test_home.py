"""Home: my spaces, what waits for me, what expires soon."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from strongroom.actions import datasets, keys, members
from strongroom.core.vocabulary import Kind, RiskLevel, Role
from strongroom.db.models import Dataset, UploadKey
from tests.console.signed_in import browser
from tests.world import World, actor_of


def text(client: Client, path: str = "/") -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content.decode()
    return response.content.decode()


def test_who_is_not_signed_in_is_led_to_sign_in_and_back(db: None) -> None:
    assert Client().get("/").headers["Location"] == "/sign-in?next=%2F"


def test_who_is_in_no_space_learns_what_a_space_is(world: World) -> None:
    shown = text(browser(world.person()))
    assert "You are in no space yet" in shown
    assert "Waits for you" not in shown


def test_my_spaces_are_shown_and_others_are_not(world: World) -> None:
    owner = world.person("owner")
    mine = world.space(owner, name="Mine & <b>ours</b>")
    world.dataset(mine)
    world.space(name="Of others")
    shown = text(browser(owner))
    assert "Mine &amp; &lt;b&gt;ours&lt;/b&gt;" in shown
    assert "<strong>1</strong> data set<" in shown
    assert "Of others" not in shown


def test_spaces_that_somebody_sees_only_as_staff_are_not_theirs(world: World) -> None:
    world.space(name="Of others")
    shown = text(browser(world.administrator))
    assert "Of others" not in shown


def test_a_requested_deletion_waits_for_a_second_person_only(world: World) -> None:
    dataset = world.finalized()
    second = world.member(dataset.space, Role.STEWARD)
    reader = world.member(dataset.space, Role.RESEARCHER)
    datasets.request_deletion(world.owner(dataset.space), dataset.id, reason="The agreement ended")
    assert "asked for its deletion" in text(browser(second))
    assert "asked for its deletion" not in text(browser(world.owner(dataset.space)))
    assert "asked for its deletion" not in text(browser(reader))


def test_a_data_set_that_the_engine_does_not_follow_is_shown_to_stewards(world: World) -> None:
    dataset = world.dataset()
    Dataset.objects.filter(id=dataset.id).update(is_settled=False, last_error="the engine does not answer")
    assert "Being retried" in text(browser(world.member(dataset.space, Role.STEWARD)))
    assert "Being retried" not in text(browser(world.member(dataset.space, Role.AUDITOR)))


def test_what_i_began_and_did_not_finalize_waits_for_me(world: World) -> None:
    space = world.space()
    researcher = world.member(space, Role.RESEARCHER)
    world.dataset(space, by=researcher, kind=Kind.DERIVATIVE, name="Begun")
    shown = text(browser(researcher))
    assert "Begun" in shown and "Upload its files" in shown
    Dataset.objects.update(measured_objects=1, measured_bytes=1500)
    assert "1 file, 1.5 kB: finalize it" in text(browser(researcher))
    members.remove(world.owner(space), space.id, researcher.person_id)
    assert "Begun" not in text(browser(researcher))


def test_what_ends_within_two_weeks_is_shown_to_who_can_do_something(world: World) -> None:
    space = world.space()
    dataset = world.dataset(space, name="Scans", needed_until=timezone.now().date() + timedelta(days=3))
    keys.issue(actor_of(dataset.created_by), dataset.id)
    UploadKey.objects.update(expires_at=timezone.now() + timedelta(days=2))
    shown = text(browser(world.owner(space)))
    assert "The access key stops working" in shown
    assert "The data set is needed until then" in shown
    assert shown.index("The access key stops") < shown.index("is needed until")
    assert "Expires soon" not in text(browser(world.member(space, Role.AUDITOR)))
    UploadKey.objects.update(expires_at=timezone.now() + timedelta(days=20))
    assert "The access key stops working" not in text(browser(world.owner(space)))


def test_home_asks_no_more_of_the_database_with_more_data(world: World, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    owner = world.person("owner")
    for _ in range(3):
        space = world.space(owner, risk_level=RiskLevel.MODERATE)
        for _ in range(4):
            world.dataset(space)
    client = browser(owner)
    with django_assert_max_num_queries(24):
        text(client)
