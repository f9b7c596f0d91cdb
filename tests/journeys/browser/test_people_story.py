"""People come, work together and at once, are refused with a reason and a way out, and go."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser

from tests.journeys.api import Study
from tests.journeys.browser.cast import Cast, cast, new_space
from tests.journeys.browser.person import Person
from tests.journeys.system import System

BOB, CAROL = "bob@people.example.org", "carol@people.example.org"


@dataclass
class Told:
    """A space of Ada's. `cohort` is its first data set, `bob` whom Ada let in."""

    cast: Cast
    ada: Person
    space: str
    cohort: Study
    bob: Person


@pytest.fixture(scope="module")
def told(strongroom: System, browser: Browser) -> Iterator[Told]:
    """Ada's space with a pending data set; Bob is invited by the administrator's clicks, and let in by Ada's."""
    with cast(strongroom, browser) as people:
        ada = people.somebody("ada@people.example.org", "Ada")
        space = new_space(ada, "Sleep study")
        cohort = people.with_dataset(ada, space, "Cohort 2024")
        yield Told(people, ada, space, cohort, _invited(people, ada, space))


def _invited(people: Cast, ada: Person, space: str) -> Person:
    ada.go(f"/spaces/{space}/people").fill("E-mail address", BOB).choose("Role", "Steward").click("Add")
    ada.sees("not known here")
    admin = people.admin.click("Staff", within=".top").click("People", within=".tabs").click("Add a person")
    admin.fill("E-mail address", BOB).fill("Name", "Bob").click("Add person")
    admin.sees("It is shown this once")
    bob = people.come_in(admin.printed(), BOB).sees("You are in no space yet")
    ada.fill("E-mail address", BOB).choose("Role", "Steward").click("Add")
    ada.sees(f"{BOB} is steward now.")
    return bob


def test_whoever_is_let_in_finds_the_space_at_home(told: Told) -> None:
    bob = told.bob.go("/").click("Sleep study").sees("You are steward", "Cohort 2024")
    bob.go(told.cohort.path).sees("Cohort 2024", "Pending")


def test_a_lost_secret_is_reset_once_and_then_by_support_with_a_reason(told: Told) -> None:
    ada = told.ada.go(f"{told.cohort.path}/access").click("Reset: the secret was lost").click("Reset the access key")
    ada.sees("Save both now")
    second = _taken(ada, told.cohort)
    ada.click("Dataset access", within=".tabs").click("Reset: the secret was lost")
    ada.sees("The access key was already reset once.", "Support staff can reset it again")
    assert not ada.may("Reset the access key")
    help_desk = told.cast.somebody("support@people.example.org", "Support", "support")
    help_desk.go("/staff/keys").fill("Part of a data set's name, or its repository", told.cohort.repository)
    help_desk.page.keyboard.press("Enter")
    help_desk.click("Cohort 2024").click("Reset the access key")
    help_desk.fill("Reason, for the ledger", "Laptop stolen, ticket 4711").confirm("Cohort 2024", "Reset access key")
    help_desk.sees("The secret is shown this once")
    assert told.cast.system.s3_is_dead(second)
    third = _taken(help_desk, told.cohort)
    assert told.cast.system.s3(third).list_objects_v2(Bucket=third.repository)["KeyCount"] == 2
    ada.go(f"{told.cohort.path}/access").sees("reset by support: Laptop stolen, ticket 4711")
    help_desk.go(told.cohort.path).does_not_see("Get access key")


def _taken(person: Person, study: Study) -> Study:
    """The same data set with the key that the page shows."""
    key, secret = person.fact("Access key"), person.fact("Secret")
    return Study(study.api, study.id, study.name, study.repository, study.endpoint, "us-east-1", key, secret)


def test_two_people_press_finalize_at_once_and_one_is_told_that_it_is_under_way(told: Told) -> None:
    for each in (told.ada, told.bob):
        each.go(f"{told.cohort.path}/finalize")
        each.page.locator("#confirm_name").fill("Cohort 2024")
    told.ada.click("Finalize").sees("no upload succeeds any more")
    told.bob.click("Finalize").sees("Cohort 2024").is_told_one_thing()
    told.ada.page.locator(".state-finalized").wait_for()
    told.bob.go(told.cohort.path).sees("Finalized")
    events = told.cast.system.administrator.all("/audit", dataset_id=told.cohort.id, verb="dataset.finalize")
    assert [each["outcome"] for each in events].count("done") == 1, events


def test_a_page_that_is_too_old_does_nothing_and_says_why(told: Told) -> None:
    ada, bob = told.ada, told.bob
    first = told.cast.with_dataset(ada, told.space, "Follow-up", files=0)
    bob.go(f"{first.path}/access")
    ada.click("Dataset access", within=".tabs").click("Revoke: nobody is to upload any more")
    ada.click("Revoke the access key").sees("The access key was revoked")
    bob.click("Revoke: nobody is to upload any more").click("Revoke the access key").is_told_one_thing()
    bob.go(f"{first.path}/edit").fill("Description", "Second wave")
    ada.go(f"{first.path}/edit").fill("Contact", "Ward 7").click("Save").sees("The record was changed.")
    bob.click("Save").sees("The record was changed.")
    ada.go(first.path).sees("Second wave", "Ward 7")
    bob.go(f"{first.path}/edit").fill("Description", "Third wave")
    ada.go(f"{first.path}/edit").fill("Description", "Fourth wave").click("Save").sees("The record was changed.")
    bob.click("Save").sees("Somebody else changed this meanwhile: it says “Fourth wave” now.", "Save once more")


def test_a_derivative_names_its_sources_and_is_promoted_for_good(told: Told) -> None:
    ada = told.ada.go(f"{told.cohort.path}/lineage").click("Create a derivative of it")
    ada.sees("Nothing is copied into a derivative").fill("Name", "Scores").pick("External source")
    ada.fill("Where the external source is", "The national registry, 2019").click("Create dataset")
    ada.sees("No agreement was copied", "Derivative data set", "The national registry, 2019")
    ada.click("Lineage", within=".tabs").sees(
        "Made from", "Cohort 2024", "External source: The national registry, 2019"
    )
    ada.click("Overview", within=".tabs").click("Promote to original").sees("there is no way back to a derivative")
    ada.confirm("Scores", "Promote to original")
    ada.sees("it is meant to be empty").does_not_see("--allow-empty")
    ada.pick("It is meant to be empty").confirm("Scores", "Promote to original").sees("no write succeeds any more")
    ada.page.locator(".state-finalized").wait_for()
    ada.sees("Original data set", "promoted from a derivative")
    assert not ada.may("Promote to original")


def test_a_moment_is_told_in_the_zone_of_the_reader_and_in_utc_on_hover_and_without_scripts(told: Told) -> None:
    made = datetime.fromisoformat(told.cast.system.administrator.get(told.cohort.path)["created_at"])
    utc, tokyo = made.astimezone(UTC), made.astimezone(ZoneInfo("Asia/Tokyo"))
    for has_scripts in (True, False):
        options = {"timezone_id": "Asia/Tokyo", "java_script_enabled": has_scripts}
        reader = told.cast.beside(told.ada, **options).go(told.cohort.path)
        moment = reader.page.locator(f"#content time[datetime='{utc:%Y-%m-%dT%H:%M:%SZ}']").first
        said = moment.inner_text()
        assert moment.get_attribute("title") == f"{utc:%Y-%m-%d %H:%M:%S} UTC"
        if has_scripts:
            assert said.startswith(f"{tokyo.day} ") and said.endswith(f"{tokyo:%Y, %H:%M}"), said
        else:
            assert said == f"{utc:%Y-%m-%d %H:%M} UTC"


def test_a_browser_without_scripts_brings_a_data_set_from_creation_to_its_end(told: Told) -> None:
    ada = told.cast.without_script(told.ada)
    ada.go(f"/spaces/{new_space(ada, 'All by hand')}/datasets/new").pick("Original")
    ada.fill("Name", "By hand").page.keyboard.press("Enter")
    ada.sees("“By hand” was created").click("Attachments", within=".tabs").choose("What is it?", "Approval")
    ada.page.set_input_files("#file", {"name": "approval.txt", "mimeType": "text/plain", "buffer": b"approved"})
    ada.click("Upload", within="[data-upload]").sees("“approval.txt” was attached.")
    ada.click("Dataset access", within=".tabs").click("Get access key").sees("Save both now")
    ada.click("Overview", within=".tabs").click("Finalize", within=".ds-controls").fill("Type By hand to confirm", "By")
    ada.click("Finalize").sees("upload").is_told_one_thing()
    ada.fill("Type By hand to confirm", "By hand").pick("It is meant to be empty").click("Finalize")
    told.cast.system.until(
        lambda: "Being finalized" not in ada.click("look again").text, "the end", more=lambda: ada.text
    )
    ada.sees("Finalized")


def test_what_one_may_not_do_is_not_offered_and_the_page_says_why(told: Told) -> None:
    carol = told.cast.somebody(CAROL, "Carol")
    carol.go(told.cohort.path).sees("Not Found").does_not_see("Cohort 2024")
    told.ada.go(f"/spaces/{told.space}/people").fill("E-mail address", CAROL).choose("Role", "Auditor")
    told.ada.click("Add").sees(f"{CAROL} is auditor now.")
    carol.go(told.cohort.path).click("What is closed to you now, and why").sees("auditor")
    assert not carol.may("Request deletion")
    carol.go(f"/spaces/{told.space}/datasets/new").sees("You may not create a data set in Sleep study")
    carol.go(f"{told.cohort.path}/finalize").sees("Back to the data set")


def test_a_file_of_a_finalized_original_is_deleted_by_two_people_or_not_at_all(told: Told) -> None:
    ada = told.ada.go(told.cohort.path).click("Request deletion").fill("Reason", "The agreement ended")
    ada.click("Request deletion").sees("a second person must confirm it")
    assert not ada.may("Confirm deletion")
    bob = told.bob.go("/").sees("Waits for you").click("Cohort 2024").click("Confirm deletion")
    bob.confirm("Cohort 2024", "Confirm deletion").sees("It is being deleted")
    bob.page.locator(".state-deleted").wait_for()
    ada.go(told.cohort.path).sees("Only its record remains.", "The agreement ended")


def test_whoever_is_removed_from_the_space_or_everywhere_is_out_at_once(told: Told) -> None:
    bob, ada = told.bob.go(f"/spaces/{told.space}"), told.ada.go(f"/spaces/{told.space}/people")
    ada.page.locator(".member", has_text=BOB).locator("summary").click()
    ada.page.locator(".member", has_text=BOB).get_by_role("button", name="Remove").click()
    ada.sees("They are no member any more")
    bob.go(f"/spaces/{told.space}").sees("Not Found").does_not_see("Sleep study")
    admin = told.cast.admin.go(f"/staff/people?search={BOB}")
    admin.click(BOB).click("Remove everywhere")
    admin.fill("Reason, for the ledger", "Left the institution")
    admin.confirm(BOB, "Remove everywhere").sees(f"{BOB} was removed everywhere")
    bob.go("/").sees("Sign in")
