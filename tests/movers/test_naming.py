"""Names that cannot be kept, names that some systems confuse, and patterns that choose files: tables, walked."""

import pytest

from strongroom.core.names import ATTACHMENTS
from strongroom.movers import names
from strongroom.movers.patterns import Selection

REFUSED = {
    "a\nb": "line break",
    "a\rb": "line break",
    "a\tb": "control",
    "a\x7fb": "control",
    "a\x85b": "control",
    "a\ufffeb": "control",
    "caf\udce9": "UTF-8",
    "back\\slash": "backslash",
    "/leading": "slash",
    "trailing/": "slash",
    "dou//ble": "slash",
    "": "slash",
    "a/./b": "`.`",
    "../b": "`..`",
    ATTACHMENTS: "agreements",
    f"{ATTACHMENTS}/x.pdf": "agreements",
    ".uploads": "`.uploads`",
    "a/.uploads/b": "`.uploads`",
    "a/b.versions/c": "`.versions`",
    "é" * 513: "1,026 bytes",
    "a/" * 512 + "b": "1,025 bytes",
}
KEPT = ["a", "a b/c d", "é/ü", "_attachments2/x", "a/_attachments/x", "x.versions", "a/.uploadsx/b", "...", "a\u2028b"]
KEPT += ["é" * 512]


@pytest.mark.parametrize(("key", "reason"), REFUSED.items(), ids=ascii)
def test_a_name_that_cannot_be_kept_is_refused_with_its_reason(key: str, reason: str) -> None:
    assert reason in names.refusal(key)


@pytest.mark.parametrize("key", KEPT, ids=lambda key: ascii(key)[:20])
def test_every_other_name_is_kept(key: str) -> None:
    assert names.refusal(key) == ""


@pytest.mark.parametrize("name", ["a:b", "what?", "con", "NUL.txt", "lpt1", "dot.", "blank ", "x" * 256, "é" * 128])
def test_a_name_that_some_systems_cannot_hold_is_remarked(name: str) -> None:
    assert names.reservation(name)


@pytest.mark.parametrize("name", ["a", ".hidden", "console", "x" * 255, "a b"])
def test_a_name_that_all_systems_hold_is_not(name: str) -> None:
    assert names.reservation(name) == ""


def test_names_that_differ_in_capitals_or_accents_alone_are_told() -> None:
    found = dict(names.clashes(["Readme", "a", "readme", "e\u0301", "\u00e9", "STRASSE", "straße"]))
    assert found == {"readme": "Readme", "\u00e9": "e\u0301", "straße": "STRASSE"}


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("*.csv", ["a.csv", "x/y/b.csv", "x.csv/inside"], ["a.csvx", "a.tsv"]),
        ("cache/", ["cache/x", "a/cache/b"], ["cache", "mycache/x"]),
        ("scans/*.dcm", ["scans/1.dcm"], ["a/scans/1.dcm", "scans/a/1.dcm"]),
        ("scans/**", ["scans/a/b"], ["a/scans/b"]),
        ("**/raw/*.dcm", ["raw/1.dcm", "a/b/raw/1.dcm"], ["raw/a/1.dcm"]),
        ("file?.[ch]", ["file1.c", "d/file2.h"], ["file12.c", "file1.x"]),
        ("[!a]*", ["b"], ["a"]),
        ("a+(b).txt", ["a+(b).txt"], ["aab.txt"]),
    ],
)
def test_patterns_choose_files(pattern: str, fits: list[str], does_not: list[str]) -> None:
    for key in fits:
        assert Selection((pattern,)).takes(key) and not Selection((), (pattern,)).takes(key), key
    for key in does_not:
        assert not Selection((pattern,)).takes(key) and Selection((), (pattern,)).takes(key), key


def test_what_is_excluded_is_not_even_entered() -> None:
    assert not Selection((), ("cache/",)).enters("a/cache") and Selection(("*.csv",)).enters("a")


def test_a_pattern_that_means_nothing_stands_for_itself() -> None:
    assert Selection(("[z-a]",)).takes("x/[z-a]") and not Selection(("[z-a]",)).takes("z")
