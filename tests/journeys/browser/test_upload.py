"""Uploading on the data set's page: a folder, a large file that is interrupted and gone on with, and what stops it.

What arrived is compared with what lies on disk, byte by byte, at the store.
"""

import hashlib
import random
import re
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Request, Route

from strongroom.movers.names import refusal
from tests.journeys.api import Api, Study
from tests.journeys.browser.cast import Cast, cast
from tests.journeys.browser.looking import look
from tests.journeys.browser.person import Person
from tests.journeys.system import System

NAMES = ("codebook.csv", "empty.txt", "visits/1.csv", "visits/deep/er/ü 2+3 %41&'(x)!*~.csv")
PIECE_BYTES = 8 * 1024**2
# From now on a request whose address holds these words is sent only when it is let go, as where a network hangs.
HOLD = """words => {
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (...told) { this.address = told[1]; open.apply(this, told); };
  XMLHttpRequest.prototype.send = function (body) {
    if (!this.address.includes(words)) send.call(this, body); else window.letGo = () => send.call(this, body);
  };
}"""
# What scripts say, with marks around whatever the catalogue was asked for.
MARKED = """
for (const name of ["gettext", "ngettext"]) {
  const said = globalThis[name];
  globalThis[name] = (...told) => `⟦${said(...told)}⟧`;
}"""
PUT = """async address => {
  const headers = { authorization: "AWS4-HMAC-SHA256 x", "x-amz-date": "20260101T000000Z" };
  try { await fetch(address, { method: "PUT", body: "x", headers }) } catch (problem) { return false }
  return true;
}"""


@pytest.fixture(scope="module")
def people(strongroom: System, browser: Browser) -> Iterator[Cast]:
    with cast(strongroom, browser) as made:
        yield made


@pytest.fixture(scope="module")
def owner(strongroom: System) -> tuple[Api, str]:
    """Who uploads, as the API knows them, and their address."""
    return strongroom.person("ada")


@pytest.fixture(scope="module")
def ada(people: Cast, owner: tuple[Api, str]) -> Person:
    """The same at a browser."""
    admin = people.system.administrator
    person_id = next(each["id"] for each in admin.all("/people") if each["email"] == owner[1])
    person = people.come_in(admin.post(f"/people/{person_id}/invite")["sign_in_code"], owner[1])
    person.page.on("dialog", lambda dialog: dialog.accept())
    return person


@pytest.fixture
def study(strongroom: System, owner: tuple[Api, str], ada: Person, request: pytest.FixtureRequest) -> Study:
    """A pending data set, with its upload page open."""
    api, _ = owner
    space = next(iter(api.all("/spaces")), None) or api.post("/spaces", name="Uploads", risk_level="high")
    made = api.post("/datasets", space_id=space["id"], kind="original", name=request.node.name[:60])
    ada.go(f"/datasets/{made['id']}").click("Upload", within=".tabs").sees("Drop files and folders here")
    ada.page.locator("[data-uploading]").wait_for()  # the script has come, and hears of what is chosen
    return Study(api, made["id"], made["name"], made["repository"], strongroom.gateway)


def folder(at: Path) -> Path:
    """A folder with files of names that are easily spelt wrong."""
    for number, name in enumerate(NAMES):
        path = at / "cohort" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name.startswith("empty") else f"row {number}\n".encode() * 1000)
    return at / "cohort"


def contents(system: System, study: Study) -> dict[str, bytes]:
    """All that the store holds for it."""
    engine = system.engine
    found = engine.list_objects(study.repository)
    return {each.key: b"".join(engine.read_object(study.repository, each.key)) for each in found}


def unmarked(said: str) -> str:
    """What is not from the catalogue, whose texts may hold others of its texts."""
    without = re.sub(r"⟦[^⟦⟧]*⟧", "", said)
    return unmarked(without) if without != said else said


def choose(person: Person, what: str, path: Path) -> Person:
    """As by the button beside it, which opens a window of the system that no test can reach."""
    person.page.locator(f"[data-input={what}]").set_input_files(path)
    return person


def parts(requests: list[Request]) -> list[str]:
    """The numbers of the parts that were sent."""
    found = [re.search(r"partNumber=(\d+)", each.url) for each in requests if each.method == "PUT"]
    return sorted(match[1] for match in found if match)


def test_a_folder_arrives_as_it_is_with_the_digest_of_every_file(
    strongroom: System, ada: Person, study: Study, tmp_path: Path
) -> None:
    local = folder(tmp_path)
    choose(ada, "folder", local).sees("4 files", "will be sent.", "cohort/visits/1.csv")
    problems = look(ada.page)
    ada.click("Start the upload").sees("Everything is there", "4 files", "are in the data set.")
    problems += look(ada.page)
    assert problems == []
    wanted = {f"cohort/{name}": (local / name).read_bytes() for name in NAMES}
    assert contents(strongroom, study) == wanted
    with ada.page.expect_download() as started:
        ada.click("Download the SHA-256 of every file")
    listed = Path(started.value.path()).read_text()
    sums = {key: hashlib.sha256(content).hexdigest() for key, content in wanted.items()}
    assert dict(reversed(line.split("  ")) for line in listed.splitlines()) == sums
    (transfer,) = study.api.get(f"{study.path}/transfers")["items"]
    told = {name: transfer[name] for name in ("end", "file_count", "problem_count", "manifest_sha256")}
    whole = hashlib.sha256(listed.encode()).hexdigest()
    assert told == {"end": "closed", "file_count": 4, "problem_count": 0, "manifest_sha256": whole}
    study.finalize()
    strongroom.settled(study)
    manifest = study.api.bytes(f"{study.path}/manifest/download").decode()
    assert all(f"sha256:{each}" in manifest for each in sums.values())


def test_a_large_file_goes_on_after_a_reload_without_a_part_sent_twice(
    strongroom: System, ada: Person, study: Study, tmp_path: Path
) -> None:
    large = tmp_path / "scan.dcm"
    large.write_bytes(random.Random(5).randbytes(2 * PIECE_BYTES + 4_000_000))
    sent: list[Request] = []
    ada.page.on("requestfinished", lambda each: sent.append(each))
    ada.page.evaluate(HOLD, "partNumber=2")
    choose(ada, "files", large).click("Start the upload").sees("being sent")
    ada.page.locator("[data-text=bytes]", has_text="12.4 MB of 20.8 MB").wait_for()
    strongroom.until(lambda: ada.page.wait_for_timeout(100) or parts(sent) == ["1", "3"], "two parts to be there")
    ada.page.reload()
    ada.sees("Drop files and folders here")
    assert contents(strongroom, study) == {}
    sent.clear()
    is_over = ada.page.get_by_role("heading", name="Everything is there")
    choose(ada, "files", large).click("Start the upload")
    is_over.wait_for()
    assert parts(sent) == ["2"]
    assert contents(strongroom, study) == {"scan.dcm": large.read_bytes()}
    # Once more, and nothing is sent.
    sent.clear()
    with ada.page.expect_navigation():
        ada.click("Upload more")
    ada.sees("Drop files and folders here")
    choose(ada, "files", large).click("Start the upload")
    is_over.wait_for()
    ada.sees("1 file was there already.")
    assert [each.method for each in sent if each.url.startswith(strongroom.gateway) and each.method == "PUT"] == []


def test_what_somebody_else_changed_meanwhile_is_named_at_the_end_and_not_counted(
    strongroom: System, ada: Person, study: Study, tmp_path: Path
) -> None:
    local = folder(tmp_path)
    ada.page.evaluate(HOLD, "list-type=2")
    choose(ada, "folder", local).click("Start the upload").page.wait_for_function("() => window.letGo")
    ada.page.evaluate("() => { const { letGo } = window; window.letGo = null; letGo(); }")  # what is there before
    ada.page.wait_for_function("() => window.letGo")  # what is there at the end
    other = strongroom.s3(study.issue())
    other.put_object(Bucket=study.repository, Key="cohort/codebook.csv", Body=b"another one")
    other.delete_object(Bucket=study.repository, Key="cohort/visits/1.csv")
    ada.page.evaluate("() => window.letGo()")
    ada.sees("Not everything was sent", "2 files could not be sent", "the storage does not hold what was sent")
    (transfer,) = [each for each in study.api.get(f"{study.path}/transfers")["items"] if each["label"] == "browser"]
    assert (transfer["end"], transfer["file_count"], transfer["problem_count"]) == ("closed", 2, 2)


def test_what_the_script_says_comes_from_the_catalogue_of_the_language(
    strongroom: System, ada: Person, study: Study, tmp_path: Path
) -> None:
    def answer(route: Route) -> None:
        real = route.fetch()
        kept = {"Content-Type": "text/javascript", "Cache-Control": "no-store"}
        route.fulfill(body=real.text() + MARKED, headers=kept)

    (folder(tmp_path) / "_attachments").mkdir()
    (tmp_path / "cohort/_attachments/dua.pdf").write_text("x")
    ada.page.route("**/words.js?*", answer)
    ada.page.reload()
    choose(ada, "folder", tmp_path / "cohort").click("Where they go").pick("Leave out the name of the folder")
    ada.sees("⟦1 file⟧").page.locator("[data-deed=start]").click()
    ada.sees("⟦All that could be sent is there⟧")
    said = ada.page.locator("[data-text], [data-state-word], .up-problems li").all_text_contents()
    ada.page.unroute("**/words.js?*")
    assert len({each for each in said if each}) > 8
    assert [each for each in said if re.search(r"[a-z]{3}", unmarked(each.replace("_attachments/dua.pdf", "")))] == []


def test_what_a_data_set_cannot_hold_is_named_before_anything_is_sent(
    strongroom: System, ada: Person, study: Study, tmp_path: Path
) -> None:
    for name in ("_attachments/dua.pdf", "a.versions/1", "good.csv", ".uploads/2"):
        (tmp_path / "top" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "top" / name).write_text("x")
    choose(ada, "folder", tmp_path / "top").sees(
        "2 files cannot be sent", "the store keeps its own things", "top/.uploads/2"
    )
    ada.click("Where they go").pick("Leave out the name of the folder that I choose")
    ada.sees("3 files cannot be sent", "_attachments is where Strongroom keeps agreements", "1 file (1 byte)")
    ada.fill("Folder in the data set", "wave-1/").page.keyboard.press("Tab")
    ada.sees("2 files (2 bytes)", "wave-1/_attachments/dua.pdf").click("Start the upload").sees(
        "All that could be sent is there"
    )
    assert set(contents(strongroom, study)) == {"wave-1/_attachments/dua.pdf", "wave-1/good.csv"}


def test_the_page_and_the_command_line_refuse_the_same_names(ada: Person, study: Study) -> None:
    names = [
        "a",
        "a/b.csv",
        "ü/ß",
        "a//b",
        "/a",
        "a/",
        "",
        "./a",
        "a/../b",
        "_attachments",
        "_attachments/x",
        "x/_attachments",
    ]
    names += [
        ".uploads",
        "x/.uploads/y",
        ".uploads.txt",
        "x.versions/y",
        "x.versions",
        "a\\b",
        "a\nb",
        "a\x01",
        "a\x9f",
        "…" * 400,
    ]
    script = """async names => {
      const { refusal } = await import("/static/console/upload/naming.js");
      return names.map(refusal);
    }"""
    told = ada.page.evaluate(script, names)
    plain = [re.sub(r"(?<=\d),(?=\d)", "", refusal(each)) for each in names]
    assert dict(zip(names, told, strict=True)) == dict(zip(names, plain, strict=True))


def test_a_finalize_in_the_middle_says_who_and_ends_the_upload(
    strongroom: System, ada: Person, study: Study, tmp_path: Path
) -> None:
    ada.page.evaluate(HOLD, "codebook.csv")
    choose(ada, "folder", folder(tmp_path)).click("Start the upload").sees("3 of 4 files").click("Pause").sees("paused")
    assert look(ada.page) == []
    study.finalize()
    strongroom.settled(study)
    ada.click("Go on").page.evaluate("() => window.letGo()")
    ada.sees("Stopped", "finalized", ada.email, "1 file was not sent.")
    assert set(contents(strongroom, study)) == {f"cohort/{name}" for name in NAMES[1:]}
    ada.problems[:] = [each for each in ada.problems if not re.search(r": (403|409)$", each)]


def test_who_is_signed_out_meanwhile_signs_in_and_goes_on(
    strongroom: System, ada: Person, study: Study, tmp_path: Path
) -> None:
    ada.page.evaluate(HOLD, "codebook.csv")
    choose(ada, "folder", folder(tmp_path)).click("Start the upload").sees("3 of 4 files")
    kept = [each for each in ada.context.cookies() if each["name"] == "strongroom_session"]
    ada.context.clear_cookies()
    ada.page.evaluate("() => window.letGo()")
    ada.page.locator("[data-part=halted] a[href*='/sign-in?next=']").click(trial=True)
    ada.sees("You are signed out.")
    # As after a sign-in: the session is back, and the form token another one.
    ada.context.add_cookies(kept)  # type: ignore[arg-type]  # told and taken in the same form
    ada.click("Go on").sees("Everything is there")
    assert len(contents(strongroom, study)) == len(NAMES)
    ada.problems[:] = [each for each in ada.problems if not re.search(r": (401|403)$", each)]


def test_what_is_cancelled_leaves_no_part_behind(strongroom: System, ada: Person, study: Study, tmp_path: Path) -> None:
    (tmp_path / "scan.dcm").write_bytes(random.Random(6).randbytes(PIECE_BYTES + 1000))
    ada.page.evaluate(HOLD, "partNumber=1")
    choose(ada, "files", tmp_path / "scan.dcm").click("Start the upload").sees("being sent")
    ada.page.locator("[data-text=bytes]", has_text="1.0 kB of 8.4 MB").wait_for()
    ada.click("Cancel the upload").sees("Cancelled", "1 file was not sent. What was begun of them is removed")
    assert "Uploads" not in strongroom.admin_s3.list_multipart_uploads(Bucket=study.repository)
    (transfer,) = study.api.get(f"{study.path}/transfers")["items"]
    assert (transfer["end"], transfer["file_count"], transfer["problem_count"]) == ("closed", 0, 1)


def test_who_runs_no_scripts_is_told_how_to_upload_otherwise(people: Cast, ada: Person, study: Study) -> None:
    other = people.without_script(ada).go(f"/datasets/{study.id}/upload").sees("strongroom upload", "access key")
    assert "This browser runs no scripts" in other.text
    assert not other.may("Choose files")


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A web site that is not the console."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/nothing"
        server.shutdown()


def test_only_a_page_of_the_console_gets_through_to_the_storage(
    strongroom: System, study: Study, browser: Browser, elsewhere: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    is_answered = []
    for address in (f"{strongroom.door.url}/static/console/console.css", elsewhere):
        page.goto(address)
        is_answered.append(page.evaluate(PUT, f"{strongroom.gateway}/{study.repository}/x"))
    context.close()
    assert is_answered == [True, False]
