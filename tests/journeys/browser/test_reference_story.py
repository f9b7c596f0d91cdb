"""From an invitation to a mount on a Linux server and the end of its access: clicks, and the commands pages print."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.browser.person import Person, person
from tests.journeys.browser.workstation import Printed, Workstation, printed_for
from tests.journeys.enrolled import Enrolled, enrolled

NAME = "Cohort 2024"
AGREEMENT = b"%PDF-1.7 The recipient shall not try to identify anybody.\n"


@dataclass
class Told:
    """Where the story is."""

    machine: Enrolled
    ada: Person
    desk: Workstation
    dataset: str = ""
    repository: str = ""
    secret: str = ""
    reading: Printed = field(default_factory=lambda: Printed("", "", ""))
    commands: dict[str, list[Printed]] = field(default_factory=dict)

    def knows(self, *, is_granted: bool) -> None:
        """Wait until the agent of the server has heard of it."""
        self.machine.system.until(
            lambda: (self.repository in self.machine.run("strongroom status --json").stdout) == is_granted,
            "the agent to hear of it",
            more=self.machine.log,
        )


@pytest.fixture(scope="module")
def told(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A running Strongroom, a machine that has not joined, and somebody who was invited."""
    folder = tmp_path_factory.mktemp("story")
    with enrolled(folder) as machine, person(browser, machine.system.door.url) as ada:
        made = machine.system.administrator.post("/people", email="ada@example.org", name="Ada", staff_role=None)
        ada.enter(made["sign_in_code"])
        yield Told(machine, ada, Workstation(folder / "desk"))


def test_somebody_who_was_invited_makes_a_space_once_the_terms_are_accepted(told: Told) -> None:
    ada = told.ada.sees("Welcome, Ada").click("Create a space")
    ada.fill("Name", "Sleep study").pick("High").fill("Charge code", "CC-1234").click("Create space")
    ada.sees("Terms for sensitive data").click("I have read and accept them")
    ada.sees("You accepted the terms.").click("Create space")  # what was written is still there
    ada.sees("Sleep study", "Charge code CC-1234", "No data sets yet")


def test_a_data_set_is_created_empty_with_a_repository_of_its_own(told: Told) -> None:
    ada = told.ada.click("Create a data set").pick("Original")
    ada.fill("Name", NAME).fill("Description", "First wave").click("Create dataset")
    ada.sees(f"“{NAME}” was created", "Original data set", "Pending", "What comes next")
    told.dataset, told.repository = ada.id, ada.fact("Repository")
    assert told.repository.endswith(told.dataset)


def test_the_access_key_is_shown_once(told: Told) -> None:
    ada = told.ada.click("Get initial credentials", within=".ds-side").click("Get access key")
    ada.sees("Save both now")
    key, told.secret = ada.fact("Access key"), ada.fact("Secret")
    assert len(told.secret) >= 32
    with ada.page.expect_download() as started:
        ada.click("Download key and secret")
    assert f"{key},{told.secret}" in Path(started.value.path()).read_text()
    ada.click("I saved them: how to connect").does_not_see(told.secret)
    ada.click("Dataset access", within=".tabs").sees(key).does_not_see(told.secret)
    assert not ada.may("Get access key")


def test_files_are_sent_with_the_printed_commands_of_the_aws_cli_and_rclone(told: Told) -> None:
    ada = told.ada.click("How to connect", within=".tabs")
    desk = told.desk
    desk.file("file.csv", "id,score\n1,17\n")
    desk.file("folder/wave.csv", "id,score\n2,23\n")
    for client in ("AWS CLI", "rclone"):
        told.commands[client] = printed_for(ada, client)
    # rclone first: its check compares whole folders.
    desk.follow(told.commands["rclone"], told.secret)
    listed = desk.follow(told.commands["AWS CLI"], told.secret)
    assert "Total Objects: 2" in listed
    ada.click("Contents", within=".tabs").sees("folder/", "file.csv", "14 bytes")


def test_an_agreement_is_attached_and_opened_by_a_link(told: Told) -> None:
    ada = told.ada.click("Attachments", within=".tabs").choose("What is it?", "Data use agreement")
    ada.page.set_input_files("#file", {"name": "dua.pdf", "mimeType": "application/pdf", "buffer": AGREEMENT})
    ada.fill("Title", "Agreement with the registry").click("Upload", within="[data-upload]")
    ada.sees("“Agreement with the registry” was attached.").click("Get link to Agreement with the registry")
    link = ada.page.get_by_role("link", name="Open dua.pdf")
    answer = ada.context.request.get(link.get_attribute("href") or "")
    assert (answer.status, answer.body()) == (200, AGREEMENT)
    assert "X-Amz-Expires=300" in (link.get_attribute("href") or "")


def test_finalized_with_its_name_typed_nothing_can_be_sent_any_more(told: Told) -> None:
    ada = told.ada.click("Overview", within=".tabs").click("Finalize", within=".ds-controls")
    ada.sees("No file can be added, changed or deleted any more, by anybody. This cannot be undone.")
    ada.confirm(NAME, "Finalize").sees("no upload succeeds any more")
    before = told.machine.system.listing(told.repository)
    for each in told.commands.values():
        told.desk.refused(each)
    assert told.machine.system.listing(told.repository) == before
    ada.page.locator(".state-finalized").wait_for()  # the page follows by itself
    ada.sees("28 bytes in 2 objects").does_not_see("Get initial credentials")


def test_a_machine_joins_with_the_line_that_the_page_prints(told: Told) -> None:
    ada = told.ada.click("Provision server access").sees("There is no server in Sleep study").click("enrol one")
    ada.pick("Linux").fill("Name", told.machine.name).click("Get join command")
    command = ada.printed()
    told.machine.join_as(command)
    ada.click(f"I ran it: follow {told.machine.name}")
    ada.sees("It has access to no data set", "Its agent was heard")


def test_a_server_with_access_mounts_it_with_the_printed_command(told: Told) -> None:
    ada = told.ada.go(f"/datasets/{told.dataset}").click("Provision server access")
    ada.choose("Server of Sleep study", f"{told.machine.name} (linux, active)").click("Provision access")
    ada.sees("The server has access.", told.machine.name).click("How to connect", within=".tabs")
    told.knows(is_granted=True)
    (mount,) = printed_for(ada, "Strongroom")
    assert told.repository in told.machine.follow(mount.text)
    assert told.machine.ok(f"cat /mnt/{told.repository}/folder/wave.csv") == "id,score\n2,23\n"
    told.machine.refused(f"cp /etc/hostname /mnt/{told.repository}/new.csv")
    (told.reading,) = printed_for(ada, "AWS CLI")
    told.machine.ok("mkdir -p /home/ada")
    assert "to folder/wave.csv" in told.machine.follow(f"cd /home/ada\n{told.reading.text}")
    ada.click("Dataset access", within=".tabs")
    told.machine.system.until(lambda: "Healthy" in ada.go(ada.path).text, "the mount to be told of")


def test_revoked_with_a_click_not_one_further_read_succeeds(told: Told) -> None:
    ada = told.ada.go(f"/datasets/{told.dataset}/access").click("Revoke access").click("Revoke access")
    ada.sees("not one further request of the server succeeds", "No server has access")
    told.machine.refused(f"cat /mnt/{told.repository}/file.csv")
    told.machine.refused(told.reading.text, says="AccessDenied")


def test_the_mount_of_s3fs_is_printed_too_and_works_after_access_was_given_again(told: Told) -> None:
    told.machine.run(f"strongroom umount /mnt/{told.repository} --forget --force")
    ada = told.ada.choose("Server of Sleep study", f"{told.machine.name} (linux, active)").click("Provision access")
    ada.sees("The server has access.").click("How to connect", within=".tabs")
    told.knows(is_granted=True)
    by_command, _ = printed_for(ada, "s3fs and fstab")
    told.machine.follow(by_command.text)
    assert told.machine.ok(f"cat /mnt/{told.repository}/file.csv") == "id,score\n1,17\n"
    told.machine.umount(f"/mnt/{told.repository}")


def test_the_page_tells_what_happened(told: Told) -> None:
    ada = told.ada.click("Activity", within=".tabs")
    ada.sees("dataset.create", "key.issue", "attachment.add", "dataset.finalize", "grant.create", "grant.revoke")
