"""Secrets have the shape, the strength and the checksum they promise."""

import hashlib
import re
import secrets
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.core import credentials
from strongroom.core.credentials import CredentialKind
from strongroom.core.errors import Invalid
from strongroom.core.vocabulary import Verb


def fixed(content: bytes) -> Callable[[int], bytes]:
    return lambda count: content[:count]


@given(st.binary(min_size=32, max_size=32))
def test_a_token_carries_all_its_randomness_and_a_checksum(content: bytes) -> None:
    token = credentials.make_token(fixed(content))
    assert re.fullmatch(credentials.TOKEN_PATTERN, token)
    assert len(token) == 53
    assert credentials.looks_like_token(token)
    assert token != credentials.make_token(fixed(bytes([content[0] ^ 1]) + content[1:]))


@given(st.binary(min_size=32, max_size=32), st.integers(4, 52), st.sampled_from("AZaz09_-"))
def test_a_mistyped_token_does_not_look_like_one(content: bytes, place: int, character: str) -> None:
    token = credentials.make_token(fixed(content))
    mistyped = token[:place] + character + token[place + 1 :]
    assert credentials.looks_like_token(mistyped) == (mistyped == token)


@pytest.mark.parametrize("text", ["", "srt_", "x" * 53, "srt_" + "A" * 49, "SRT_" + "A" * 49])
def test_other_texts_do_not_look_like_a_token(text: str) -> None:
    assert not credentials.looks_like_token(text)


def test_a_token_found_in_the_middle_of_a_log_is_found_whole() -> None:
    token = credentials.make_token(secrets.token_bytes)
    found = re.search(credentials.TOKEN_PATTERN, f'curl -H "Authorization: Bearer {token}" http://x/')
    assert found is not None
    assert found.group() == token


@given(st.binary(min_size=32, max_size=32))
def test_a_join_token_is_not_taken_for_an_access_token(content: bytes) -> None:
    token = credentials.make_join_token(fixed(content))
    assert re.fullmatch(credentials.JOIN_TOKEN_PATTERN, token)
    assert credentials.looks_like_join_token(token)
    assert not credentials.looks_like_token(token)
    assert not credentials.looks_like_join_token(credentials.make_token(fixed(content)))
    assert not credentials.looks_like_join_token(token[:-1])


@given(st.binary(min_size=10, max_size=10))
def test_a_sign_in_code_is_80_bits_that_can_be_read_out(content: bytes) -> None:
    code = credentials.make_sign_in_code(fixed(content))
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code)
    values = ["0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter) for letter in code.replace("-", "")]
    assert sum(value << (75 - 5 * place) for place, value in enumerate(values)) == int.from_bytes(content, "big")


@given(st.binary(min_size=10, max_size=10))
def test_a_code_is_understood_however_it_is_typed(content: bytes) -> None:
    code = credentials.make_sign_in_code(fixed(content))
    for typed in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')}\n", code.replace("0", "o")):
        assert credentials.normalize_sign_in_code(typed) == code
    assert credentials.normalize_sign_in_code(code.replace("1", "l")) == code


@pytest.mark.parametrize("typed", ["", "1234", "U" * 16, "0" * 17, "0000-0000-0000-000!", "०" * 16])
def test_what_cannot_be_a_code_is_refused_with_a_way_out(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        credentials.normalize_sign_in_code(typed)
    assert refused.value.way_out


def test_a_digest_is_plain_sha256() -> None:
    assert credentials.digest("srt_x") == hashlib.sha256(b"srt_x").hexdigest()


@pytest.mark.parametrize("verb", Verb)
def test_a_sign_in_code_is_good_for_one_thing_only(verb: Verb) -> None:
    assert credentials.may(CredentialKind.SIGN_IN_CODE, verb) == (verb is Verb.TOKEN_CREATE)
    assert credentials.may(CredentialKind.TOKEN, verb)
