"""The second factor at a terminal: taught, confirmed, proved, reset."""

import re

from tests.cli.live import Terminal
from tests.phones import Phone

from strongroom.cli import second_factor
from strongroom.cli.exits import Exit


def _enrolled(terminal: Terminal) -> tuple[Phone, list[str]]:
    phone = Phone(terminal.json("mfa", "enrol")["secret"])
    return phone, terminal.ok("mfa", "confirm", phone.code(), "--quiet").split()


def test_an_app_is_taught_confirmed_proved_and_removed(terminal: Terminal) -> None:
    assert "strongroom mfa enrol" in terminal.ok("mfa", "show")
    phone, codes = _enrolled(terminal)
    assert len(codes) == 10
    assert "Proved until" in terminal.ok("mfa", "prove", phone.code())
    assert terminal.json("mfa", "prove", codes[0])["recovery_codes_left"] == 9
    shown = terminal.ok("mfa", "show")
    assert "recovery codes left" in shown and "9" in shown
    terminal.ok("mfa", "remove", codes[1])
    assert terminal.json("mfa", "show")["is_enrolled"] is False


def test_enrolling_without_a_terminal_shows_the_secret_and_how_to_go_on(terminal: Terminal) -> None:
    said = terminal.ok("mfa", "enrol")
    assert "otpauth://totp/Strongroom%20127.0.0.1:" in said
    assert "strongroom mfa confirm CODE" in said


def test_confirming_shows_the_recovery_codes_in_groups(terminal: Terminal) -> None:
    phone = Phone(terminal.json("mfa", "enrol")["secret"])
    said = terminal.ok("mfa", "confirm", phone.code())
    assert "shown this once" in said
    assert len(re.findall(r"^ +\d{4}-\d{4}-\d{4}$", said, re.MULTILINE)) == 10


def test_a_wrong_code_says_what_may_be_wrong(terminal: Terminal) -> None:
    phone, _ = _enrolled(terminal)
    refused = terminal("mfa", "prove", phone.wrong_code())
    assert refused.exit_code == Exit.INVALID
    assert "Is the clock of your phone right?" in refused.stderr


def test_without_a_code_and_a_terminal_it_says_that_one_is_needed(terminal: Terminal) -> None:
    _enrolled(terminal)
    refused = terminal("mfa", "prove")
    assert refused.exit_code == Exit.USAGE and "A code is needed." in refused.stderr


def test_a_reset_asks_whether_it_is_meant_and_needs_somebody_who_has_one(terminal: Terminal) -> None:
    other = terminal.world.person("ada")
    command = ("mfa", "reset", other.email, "--reason", "lost the phone")
    refused = terminal(*command)
    assert refused.exit_code == Exit.USAGE and "Nothing was done" in refused.stderr
    refused = terminal(*command, "--confirm", other.email)
    assert refused.exit_code == Exit.CONFLICT and "has no second factor" in refused.stderr


def test_the_picture_is_one_that_a_camera_reads() -> None:
    uri = "otpauth://totp/Strongroom%20a:ada@example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Strongroom%20a"
    lines = second_factor.picture(uri).rstrip("\n").splitlines()
    assert 15 < len(lines) < 40
