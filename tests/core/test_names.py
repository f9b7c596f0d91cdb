"""No input becomes a path, a control sequence or a look-alike; every name keeps within its alphabet and length."""

import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strongroom.core import names
from strongroom.core.errors import Invalid

NASTY = st.text(
    st.sampled_from(
        "/\\.%2fF5cC: \t\n\0\u202e\u200b\u2044\u2215\uff0f\uff3c\u2100\u2024\ufeffaCONuxplt1é🙂½\u00a0<>|?*\"'"
    ),
    max_size=12,
)
ANY_TEXT = st.text() | NASTY | st.builds("{}.{}".format, NASTY, st.sampled_from(["pdf", "PDF", "html", "exe"]))
UUIDS = st.uuids()
# Names that speak of a solidus but are drawn as something else around it.
NOT_A_SLASH = {"REVERSE SOLIDUS PRECEDING SUBSET", "SUPERSET PRECEDING SOLIDUS", "CIRCLED REVERSE SOLIDUS"}


def accepted(name: str) -> str | None:
    try:
        return names.clean_filename(name)
    except Invalid as refusal:
        assert refusal.fields["filename"], "a refusal says what is wrong"
        assert refusal.way_out, "a refusal says what to do instead"
        return None


@given(ANY_TEXT)
@example("../../etc/passwd")
@example("..%2f..%2fetc%2fpasswd")
@example("..%252fetc")
@example("C:evil.pdf")
@example("agreement\u202efdp.exe")
@example("\u2100.pdf")
@example("\u2024\u2024")
@example("com¹.txt")
@example("nul")
@example("NUL .txt")
def test_no_file_name_is_a_path_anywhere_even_when_decoded_or_folded(value: str) -> None:
    name = accepted(value)
    if name is None:
        return
    for form in (name, unquote(name), unquote(unquote(name)), unicodedata.normalize("NFKC", name)):
        assert PurePosixPath(form).name == form
        assert PureWindowsPath(form).name == form
    assert not PureWindowsPath(name).is_reserved()
    assert not any(unicodedata.category(character).startswith("C") for character in name)
    assert name == name.strip().rstrip(".")
    assert 0 < len(name.encode()) <= 255


def test_no_character_that_is_unseen_or_looks_like_a_slash_is_accepted_in_a_file_name() -> None:
    slipped = []
    for point in range(0x110000):
        character = chr(point)
        label = unicodedata.name(character, "")
        is_slash = "SOLIDUS" in label and label not in NOT_A_SLASH
        is_unseen = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        if (is_slash or is_unseen or label.startswith("VARIATION SELECTOR")) and accepted(f"a{character}b.pdf"):
            slipped.append(label or hex(point))
    assert slipped == []


@pytest.mark.parametrize(
    "character", "\u2044\u2215\u2571\u2216\u27cb\u29f5\u29f8\uff0f\uff3c\ufe68\u3164\u2800\u202e\u2066\u200d"
)
def test_known_tricks_are_refused_in_a_file_name(character: str) -> None:
    with pytest.raises(Invalid):
        names.clean_filename(f"data{character}use.pdf")


@pytest.mark.parametrize(
    "name",
    [
        "Data use agreement (signed) v2.pdf",
        "Vereinbarung-Größe_½.docx",
        "契約書.pdf",
        "50% done.txt",
        ".hidden",
        "a'b.pdf",
    ],
)
def test_ordinary_names_are_kept_as_they_are(name: str) -> None:
    assert names.clean_filename(name) == name


def test_a_decomposed_name_is_composed() -> None:
    assert names.clean_filename("Gro\u0308ße.pdf") == "Größe.pdf"


def test_a_file_name_may_have_255_bytes_and_not_one_more() -> None:
    longest = "é" * 125 + "x.pdf"
    assert len(names.clean_filename(longest).encode()) == 255
    with pytest.raises(Invalid, match="256 bytes"):
        names.clean_filename("x" + longest)


@given(st.text(max_size=30) | NASTY, st.booleans())
def test_no_text_keeps_a_character_that_nobody_can_see(value: str, is_multiline: bool) -> None:
    try:
        text = names.clean_text("name", value, max_length=20, required=False, is_multiline=is_multiline)
    except Invalid as refusal:
        assert refusal.fields["name"]
        return
    allowed = "\n\t" if is_multiline else ""
    assert not any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} and character not in allowed
        for character in text
    )
    assert text == unicodedata.normalize("NFC", text).strip()
    assert len(text) <= 20


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("   ", "is empty"),
        ("x" * 11, "11 characters"),
        ("a\u202eb", "RIGHT-TO-LEFT OVERRIDE"),
        ("a\u200bb", "ZERO WIDTH SPACE"),
        ("a\nb", "U\\+000A"),
        ("a\0b", "U\\+0000"),
    ],
)
def test_a_refused_text_says_which_field_and_why(value: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem) as refused:
        names.clean_text("title", value, max_length=10)
    assert list(refused.value.fields) == ["title"]


def test_a_text_of_many_lines_keeps_its_line_breaks_in_one_form() -> None:
    assert names.clean_text("description", "a\r\nb\rc\n", max_length=10, is_multiline=True) == "a\nb\nc"


def test_a_text_that_is_not_required_may_be_empty() -> None:
    assert names.clean_text("reason", " ", max_length=10, required=False) == ""


@given(st.from_regex(r"[a-z0-9]{1,18}", fullmatch=True), UUIDS)
def test_buckets_are_named_after_their_data_set_and_fit_in_63_characters(org: str, dataset_id: UUID) -> None:
    repository = names.repository_name(org, dataset_id)
    assert repository == f"dataset-{org}-{dataset_id}"
    assert len(repository) <= 63
    assert len(names.records_repository(org)) <= 63


@pytest.mark.parametrize("org", ["", "UNI", "a-b", "a.b", "a" * 19, "é", "ab\n", "../x"])
def test_a_bad_organization_is_refused(org: str) -> None:
    with pytest.raises(Invalid):
        names.repository_name(org, UUID(int=1))
    with pytest.raises(Invalid):
        names.records_repository(org)


@given(UUIDS, UUIDS)
def test_principals_and_sessions_are_short_stable_and_never_shared(one: UUID, other: UUID) -> None:
    principal, session = names.uploader_principal(one), names.server_session_name(one)
    assert re.fullmatch(r"up-[a-z2-7]{20}", principal)
    assert re.fullmatch(r"srv-[a-z2-7]{13}", session)
    assert principal == names.uploader_principal(one)
    assert (one == other) == (principal == names.uploader_principal(other))
    assert (one == other) == (session == names.server_session_name(other))
    assert principal[3:16] != session[4:]


@given(UUIDS, ANY_TEXT)
def test_the_object_key_of_an_attachment_never_holds_what_somebody_typed(attachment_id: UUID, filename: str) -> None:
    key = names.attachment_object_key(attachment_id, filename)
    stem, _, extension = key.partition(".")
    assert stem == f"_attachments/{attachment_id}"
    assert extension in {"", *names.HARMLESS}


@pytest.mark.parametrize(
    ("filename", "ending", "content_type"),
    [
        ("Agreement.PDF", ".pdf", "application/pdf"),
        ("notes.txt", ".txt", "text/plain; charset=utf-8"),
        ("page.html", "", "application/octet-stream"),
        ("drawing.svg", "", "application/octet-stream"),
        ("macro.docm", "", "application/octet-stream"),
        ("agreement.pdf.exe", "", "application/octet-stream"),
        ("pdf", "", "application/octet-stream"),
    ],
)
def test_only_harmless_kinds_of_file_keep_their_extension_and_type(
    filename: str, ending: str, content_type: str
) -> None:
    assert names.attachment_object_key(UUID(int=7), filename).endswith(f"{UUID(int=7)}{ending}")
    assert names.attachment_content_type(filename) == content_type


def test_no_type_in_the_table_runs_scripts() -> None:
    assert not any(
        word in kind for kind in names.HARMLESS.values() for word in ("html", "svg", "script", "/xml", "macro")
    )
