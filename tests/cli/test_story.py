"""The life of a data set as typed at a terminal, against a real web server."""

import hashlib
import json
import re
import stat
from pathlib import Path

from tests.cli.live import Terminal

from strongroom.cli.exits import Exit


def _dataset(terminal: Terminal, name: str = "Cohort 2024", **options: str) -> dict[str, str]:
    if not terminal.json("space", "list"):
        terminal.ok("space", "create", "Heart study", "--risk", "high")
    given = [word for option, value in {"--kind": "original", **options}.items() for word in (option, value)]
    made: dict[str, str] = terminal.json("dataset", "create", "Heart study", name, *given)
    return made


def _finalized(terminal: Terminal, name: str = "Cohort 2024") -> dict[str, str]:
    made = _dataset(terminal, name)
    issued = terminal.json("key", "issue", name)
    assert terminal.upload(issued, "a.csv", b"1,2\n")
    assert terminal.upload(issued, "b/c.csv", b"3,4\n")
    terminal.ok("dataset", "finalize", name, "--confirm", name)
    return made


def test_the_whole_story(terminal: Terminal, tmp_path: Path) -> None:
    made = _finalized(terminal)
    shown = terminal.ok("dataset", "show", "Cohort 2024")
    assert "finalized" in shown and "2 objects, 8 bytes" in shown and made["repository"] in shown

    assert "its hash holds" in terminal.ok("manifest", "download", "Cohort 2024", "-o", "manifest.jsonl")
    root = terminal.json("manifest", "show", "Cohort 2024")["root_sha256"]
    assert hashlib.sha256((tmp_path / "manifest.jsonl").read_bytes()).hexdigest() == root

    terminal.ok("receipt", "show", "Cohort 2024", "--save", "proof")
    verified = terminal.json("receipt", "verify", "proof/receipt.json", "--manifest", "manifest.jsonl")
    assert verified["is_valid"] and verified["manifest_checked"] and verified["manifest_root_sha256"] == root

    assert "✓ holds" in terminal.ok("audit", "verify")
    terminal.ok("audit", "export", "-o", "ledger.jsonl")
    assert terminal.json("audit", "verify", "--file", "ledger.jsonl")["is_intact"]
    deeds = {event["verb"] for event in terminal.json("audit", "list", "--dataset", "Cohort 2024")}
    assert {"dataset.create", "key.issue", "dataset.finalize", "dataset.finalized"} <= deeds


def test_a_changed_ledger_is_found_offline(terminal: Terminal, tmp_path: Path) -> None:
    _dataset(terminal)
    terminal.ok("audit", "export", "-o", "ledger.jsonl")
    file = tmp_path / "ledger.jsonl"
    file.write_text(file.read_text().replace("Heart study", "Heart studx"))
    result = terminal("audit", "verify", "--file", "ledger.jsonl")
    assert result.exit_code == Exit.NOT_VERIFIED
    assert "was changed" in result.stdout


def test_a_data_set_is_known_by_id_beginning_repository_and_name(terminal: Terminal) -> None:
    made = _dataset(terminal)
    for named in (made["id"], made["id"][:4], made["id"].upper(), made["repository"], "Cohort 2024"):
        assert terminal.json("dataset", "show", named)["id"] == made["id"]
    assert terminal("dataset", "show", "Cohort").exit_code == Exit.NOT_FOUND
    assert terminal("dataset", "show", made["id"][:3]).exit_code == Exit.NOT_FOUND


def test_a_name_that_fits_two_is_refused_and_both_are_named(terminal: Terminal) -> None:
    first, second = _dataset(terminal), _dataset(terminal)
    result = terminal("key", "issue", "Cohort 2024")
    assert result.exit_code == Exit.USAGE
    assert first["id"] in result.stderr and second["id"] in result.stderr
    assert result.stderr.count("(original, pending) in Heart study, created 20") == 2
    assert terminal.json("key", "list", first["id"]) == []


def test_a_space_whose_name_two_have_is_told_apart_by_risk_charge_code_and_date(terminal: Terminal) -> None:
    terminal.ok("space", "create", "Heart study", "--risk", "high", "--charge-code", "CC-7")
    terminal.ok("space", "create", "Heart study", "--risk", "moderate")
    result = terminal("member", "list", "Heart study")
    assert result.exit_code == Exit.USAGE
    assert "Heart study (high risk, CC-7), created 20" in result.stderr
    assert "Heart study (moderate risk), created 20" in result.stderr


def test_the_secret_is_shown_once_and_works(terminal: Terminal) -> None:
    made = _dataset(terminal)
    shown = terminal.ok("key", "issue", "Cohort 2024")
    secret = re.search(r"export AWS_SECRET_ACCESS_KEY=(\S+)", shown)
    key = re.search(r"export AWS_ACCESS_KEY_ID=(\S+)", shown)
    assert secret and key
    issued = {"key": {"access_key_id": key[1]}, "secret": secret[1], "repository": made["repository"]}
    assert terminal.upload(issued, "a.csv", b"1")
    assert secret[1] not in terminal.ok("key", "list", "Cohort 2024", "--json")
    again = terminal("key", "issue", "Cohort 2024")
    assert again.exit_code == Exit.CONFLICT


def test_a_saved_key_is_in_the_profile_and_not_on_the_screen(terminal: Terminal, home: Path) -> None:
    _dataset(terminal)
    shown = terminal.ok("key", "issue", "Cohort 2024", "--save", "cohort")
    credentials = home / ".aws" / "credentials"
    secret = credentials.read_text().split("aws_secret_access_key = ")[1].split()[0]
    assert secret not in shown and "--profile cohort" in shown
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600


def test_settings_of_aws_tools_name_the_profile_that_holds_the_key(terminal: Terminal) -> None:
    made = _dataset(terminal)
    before = terminal.ok("dataset", "connect", "Cohort 2024", "--client", "aws")
    assert f"--profile {made['repository']}" in before
    terminal.ok("key", "issue", "Cohort 2024", "--save", "cohort")
    after = terminal.ok("dataset", "connect", "Cohort 2024")
    assert "--profile cohort" in after and "[profile cohort]" in after and 'profile_name="cohort"' in after
    assert f"--profile {made['repository']}" not in after
    # Another key is in the profile now: it is not the one of these settings.
    terminal.ok("key", "reset", "Cohort 2024", "--confirm", "Cohort 2024")
    assert f"--profile {made['repository']}" in terminal.ok("dataset", "connect", "Cohort 2024", "--client", "aws")


def test_no_key_is_issued_when_it_could_not_be_kept(terminal: Terminal, home: Path) -> None:
    _dataset(terminal)
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[cohort]\n")
    assert terminal("key", "issue", "Cohort 2024", "--save", "cohort").exit_code == Exit.USAGE
    assert terminal.json("key", "list", "Cohort 2024") == []


def test_quiet_never_loses_a_secret(terminal: Terminal) -> None:
    _dataset(terminal)
    assert terminal("key", "issue", "Cohort 2024", "--quiet").exit_code == Exit.USAGE
    assert terminal.json("key", "list", "Cohort 2024") == []
    assert terminal.ok("token", "create", "nightly", "--quiet").startswith("srt_")
    code = terminal.ok("person", "create", "ada@example.org", "Ada", "--quiet").strip()
    terminal.ok("login", terminal.url, "--code", code, "--profile", "ada")


def test_a_key_for_a_shell_can_be_evaluated(terminal: Terminal) -> None:
    _dataset(terminal)
    lines = terminal.ok("key", "issue", "Cohort 2024", "--output", "env").splitlines()
    names = [line.split("=")[0] for line in lines]
    assert names == [
        "export AWS_ACCESS_KEY_ID",
        "export AWS_SECRET_ACCESS_KEY",
        "export AWS_ENDPOINT_URL_S3",
        "export AWS_DEFAULT_REGION",
    ]


def test_a_reset_key_replaces_the_old_one_once(terminal: Terminal) -> None:
    made = _dataset(terminal)
    old = terminal.json("key", "issue", "Cohort 2024")
    assert terminal("key", "reset", "Cohort 2024").exit_code == Exit.USAGE
    new = terminal.json("key", "reset", "Cohort 2024", "--confirm", "Cohort 2024")
    assert not terminal.upload({**old, "repository": made["repository"]}, "a", b"1")
    assert terminal.upload(new, "a", b"1")
    assert terminal("key", "reset", "Cohort 2024", "--confirm", "Cohort 2024").exit_code in (
        Exit.FORBIDDEN,
        Exit.CONFLICT,
    )
    terminal.ok("key", "renew", "Cohort 2024", "--days", "3")
    terminal.ok("key", "revoke", "Cohort 2024", "--confirm", "Cohort 2024")
    assert not terminal.upload(new, "a", b"1")


def test_nothing_is_destroyed_without_its_exact_name(terminal: Terminal) -> None:
    _dataset(terminal)
    asked = terminal("dataset", "delete", "Cohort 2024")
    assert asked.exit_code == Exit.USAGE and "--confirm 'Cohort 2024'" in asked.stderr
    wrong = terminal("dataset", "delete", "Cohort 2024", "--confirm", "Cohort")
    assert wrong.exit_code == Exit.INVALID and "Nothing was done" in wrong.stderr
    assert terminal.json("dataset", "show", "Cohort 2024")["state"] == "pending"
    terminal.ok("dataset", "delete", "Cohort 2024", "--confirm", "Cohort 2024", "--reason", "wrong space")
    assert terminal.json("dataset", "list", "--state", "pending") == []
    tombstone = terminal.ok("dataset", "show", "Cohort 2024")
    assert "deleted" in tombstone and "reason: wrong space" in tombstone and "None" not in tombstone


def test_attachments_are_added_opened_and_superseded(terminal: Terminal, tmp_path: Path) -> None:
    _finalized(terminal)
    (tmp_path / "dua.pdf").write_bytes(b"%PDF-1.4 one")
    (tmp_path / "dua-2.pdf").write_bytes(b"%PDF-1.4 two")
    added = terminal.json("attachment", "add", "Cohort 2024", "dua.pdf", "--title", "Agreement")
    assert added["sha256"] == hashlib.sha256(b"%PDF-1.4 one").hexdigest()
    assert added["kind"] == "data-use-agreement"
    result = terminal("attachment", "link", "Cohort 2024", "dua.pdf")
    assert result.stdout.startswith("http") and "until" in result.stderr
    new = terminal.json("attachment", "supersede", "Cohort 2024", "Agreement", "dua-2.pdf", "--reason", "renewed")
    assert (new["title"], new["kind"], new["filename"]) == ("Agreement", "data-use-agreement", "dua-2.pdf")
    refused = terminal("attachment", "remove", "Cohort 2024", "dua-2.pdf", "--confirm", "dua-2.pdf")
    assert refused.exit_code == Exit.CONFLICT


def test_settings_of_clients_are_shown_and_saved(terminal: Terminal, tmp_path: Path) -> None:
    made = _dataset(terminal)
    clients = [snippet["client"] for snippet in terminal.json("dataset", "connect", "Cohort 2024")["snippets"]]
    assert "rclone" in clients
    assert made["repository"] in terminal.ok("dataset", "connect", "Cohort 2024", "--client", "rclone")
    terminal.ok("dataset", "connect", "Cohort 2024", "--save", "settings")
    written = list((tmp_path / "settings").iterdir())
    assert {"aws-config", "aws-credentials", "rclone.conf", "README.txt"} <= {file.name for file in written}
    assert any(file.suffix == ".duck" for file in written)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in written)
    assert terminal("dataset", "connect", "Cohort 2024", "--save", "settings").exit_code == Exit.USAGE
    assert terminal("dataset", "connect", "Cohort 2024", "--client", "abacus").exit_code == Exit.NOT_FOUND


def test_the_end_of_a_finalized_data_set_takes_two_people(terminal: Terminal) -> None:
    _finalized(terminal)
    terminal.ok("dataset", "request-deletion", "Cohort 2024", "--reason", "agreement ended")
    alone = terminal("dataset", "confirm-deletion", "Cohort 2024", "--confirm", "Cohort 2024")
    assert alone.exit_code in (Exit.FORBIDDEN, Exit.CONFLICT)
    terminal.ok("dataset", "withdraw-deletion", "Cohort 2024")
    assert terminal.json("dataset", "show", "Cohort 2024")["deletion"] is None


def test_a_derivative_is_promoted(terminal: Terminal) -> None:
    source = _finalized(terminal)
    made = _dataset(terminal, "Means", **{"--kind": "derivative", "--source": "Cohort 2024"})
    assert made["source_ids"] == [source["id"]]
    terminal.ok("dataset", "promote", "Means", "--confirm", "Means", "--allow-empty")
    assert "original (promoted)" in terminal.ok("dataset", "show", "Means")


def test_no_wait_returns_while_the_server_goes_on(terminal: Terminal) -> None:
    _dataset(terminal)
    changed = terminal.json(
        "dataset", "finalize", "Cohort 2024", "--confirm", "Cohort 2024", "--allow-empty", "--no-wait"
    )
    assert changed["state"] in ("finalizing", "finalized")


def test_the_catalogue_entry_is_edited_and_dates_are_days(terminal: Terminal) -> None:
    _dataset(terminal)
    options = ["--classification", "PHI", "--classification", "HIPAA", "--needed-until", "2031-12-31"]
    changed = terminal.json("dataset", "edit", "Cohort 2024", "--description", "Second wave", *options)
    assert set(changed["data_classifications"]) == {"PHI", "HIPAA"} and changed["needed_until"] == "2031-12-31"
    assert terminal("dataset", "edit", "Cohort 2024").exit_code == Exit.USAGE
    edits = {each["field"]: each for each in terminal.json("dataset", "history", "Cohort 2024")}
    assert (edits["description"]["after"], edits["description"]["changed_by"]) == ("Second wave", "root@example.org")
    assert "Second wave" in terminal("dataset", "history", "Cohort 2024").output


def test_people_members_and_tokens(terminal: Terminal) -> None:
    _dataset(terminal)
    created = terminal.json("person", "create", "ada@example.org", "Ada Lovelace")
    assert created["sign_in_code"]
    terminal.ok("member", "add", "Heart study", "ada@example.org", "--role", "researcher")
    terminal.ok("member", "edit", "Heart study", "ada@example.org", "--role", "steward")
    assert "steward" in terminal.ok("member", "list", "Heart study")
    terminal.ok("login", terminal.url, "--code", created["sign_in_code"], "--profile", "ada")
    assert terminal.json("whoami", "--profile", "ada")["email"] == "ada@example.org"
    assert terminal("system", "status", "--profile", "ada").exit_code == Exit.FORBIDDEN
    token = terminal.json("token", "create", "nightly", "--profile", "ada")
    assert token["scopes"] == ["read"]
    terminal.ok("token", "revoke", "nightly", "--profile", "ada")
    terminal.ok("member", "remove", "Heart study", "ada@example.org", "--confirm", "ada@example.org")
    assert terminal("dataset", "show", "Cohort 2024", "--profile", "ada").exit_code == Exit.NOT_FOUND
    terminal.ok("person", "disable", "ada@example.org", "--reason", "left", "--confirm", "ada@example.org")
    assert terminal("whoami", "--profile", "ada").exit_code == Exit.NOT_SIGNED_IN


def test_signing_out_ends_the_token(terminal: Terminal, home: Path) -> None:
    kept = json.loads((home / ".config" / "strongroom" / "profiles.json").read_text())["profiles"]["default"]
    assert kept["email"] == terminal.email
    terminal.ok("logout")
    assert terminal("whoami").exit_code == Exit.NOT_SIGNED_IN
    dead = terminal.run("whoami", STRONGROOM_URL=kept["url"], STRONGROOM_TOKEN=kept["token"])
    assert dead.exit_code == Exit.NOT_SIGNED_IN


def test_a_token_from_standard_input_signs_in(terminal: Terminal) -> None:
    token = terminal.json("token", "create", "script", "--scope", "read")["secret"]
    result = terminal("login", terminal.url, "--with-token", "--profile", "script", stdin=token + "\n")
    assert result.exit_code == Exit.OK and token not in result.output
    assert terminal.json("whoami", "--profile", "script")["email"] == terminal.email


def test_a_wrong_code_is_refused(terminal: Terminal) -> None:
    result = terminal("login", terminal.url, "--code", "0000-0000-0000-0000", "--profile", "other")
    assert result.exit_code in (Exit.NOT_SIGNED_IN, Exit.INVALID)
    assert terminal("whoami", "--profile", "other").exit_code == Exit.NOT_SIGNED_IN


def test_an_address_with_a_path_is_told_without_it(terminal: Terminal) -> None:
    result = terminal("login", f"{terminal.url}/api", "--code", "0000-0000-0000-0000", "--profile", "other")
    assert result.exit_code == Exit.NOT_FOUND
    assert f"Leave out the path: `strongroom login {terminal.url}`." in result.stderr


def test_lists_are_plain_whole_and_machine_readable(terminal: Terminal) -> None:
    made = _dataset(terminal, "A very long name of a data set, which a narrow terminal would have to shorten somewhere")
    table = terminal.ok("dataset", "list")
    assert made["name"] in table and "\x1b" not in table
    assert all(line == line.rstrip() for line in table.splitlines())
    assert terminal.ok("dataset", "list", "--quiet") == made["id"] + "\n"
    assert [item["id"] for item in terminal.json("dataset", "list")] == [made["id"]]
    assert terminal.json("--json", "dataset", "list")[0]["id"] == made["id"]


def test_contents_are_listed_past_one_page(terminal: Terminal) -> None:
    _dataset(terminal)
    issued = terminal.json("key", "issue", "Cohort 2024")
    for number in range(510):
        assert terminal.upload(issued, f"f{number:04d}", b"x")
    assert len(terminal.json("dataset", "contents", "Cohort 2024")) == 510
    some = terminal("dataset", "contents", "Cohort 2024", "--limit", "7")
    assert some.stdout.count("f00") == 7 and "there are more" in some.stderr
    assert len(terminal.json("dataset", "contents", "Cohort 2024", "--prefix", "f050")) == 10


def test_the_state_of_the_installation_is_shown(terminal: Terminal) -> None:
    result = terminal("system", "status")
    assert "version" in result.stdout and "ledger" in result.stdout
    assert result.exit_code in (Exit.OK, Exit.UNAVAILABLE)
