"""Codes of authenticator apps, against the vectors of the RFC and under a moving clock."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from strongroom.core import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


# RFC 6238, appendix B, SHA-1, the last six of its eight digits.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_at(SECRET, seconds // 30) == code


@pytest.mark.parametrize("late", [-30, 0, 30])
def test_a_code_counts_one_step_before_and_after_its_own(late: int) -> None:
    step = totp.step_of(NOW)
    assert totp.matching_step(SECRET, totp.code_at(SECRET, step), at=NOW + timedelta(seconds=late)) == step


@pytest.mark.parametrize("late", [-90, -60, 60, 90])
def test_a_code_of_two_steps_away_does_not_count(late: int) -> None:
    code = totp.code_at(SECRET, totp.step_of(NOW))
    assert totp.matching_step(SECRET, code, at=NOW + timedelta(seconds=late)) is None


def test_a_code_counts_once_and_so_does_every_earlier_one() -> None:
    step = totp.step_of(NOW)
    for earlier in (step - 1, step):
        assert totp.matching_step(SECRET, totp.code_at(SECRET, earlier), at=NOW, later_than=step) is None
    assert totp.matching_step(SECRET, totp.code_at(SECRET, step + 1), at=NOW, later_than=step) == step + 1


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "１２３４５６", "\udc80"])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert not totp.looks_like_code(code)
    assert totp.matching_step(SECRET, code, at=NOW) is None


def test_blanks_and_hyphens_that_people_type_do_not_matter() -> None:
    assert totp.normalize(" 123 456\n") == totp.normalize("123-456") == "123456"


def test_a_secret_is_160_bits_and_an_app_reads_it_from_the_address() -> None:
    secret = totp.make_secret(secrets.token_bytes)
    assert len(base64.b32decode(secret)) == 20
    address = urlsplit(totp.uri(secret, email="ada+x@example.org", issuer="Strongroom a.example.org"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert address.path == "/Strongroom%20a.example.org:ada%2Bx@example.org"
    assert parse_qs(address.query) == {"secret": [secret], "issuer": ["Strongroom a.example.org"]}
