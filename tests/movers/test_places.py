"""Where objects may not go: outside the folder, through links, and under names that the system cannot hold."""

import stat
from pathlib import Path

import pytest

from strongroom.movers import ordered
from strongroom.movers.places import Places, Unholdable, folds_case


@pytest.mark.parametrize(
    "key", ["../out", "a/../../out", "/etc/passwd", "a//b", ".", "..", "a/./b", "a\0b", "x" * 256, "ü" * 128]
)
def test_no_system_takes_these(tmp_path: Path, key: str) -> None:
    with pytest.raises(Unholdable):
        Places(str(tmp_path)).of(key)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "key", ["con", "d/NUL.txt", "a:b", "a\\..\\b", "dot.", "blank ", "q?", "tab\tx", "com1.log", "a/lpt9", "C:/x", "<"]
)
def test_windows_does_not_take_these(tmp_path: Path, key: str) -> None:
    with pytest.raises(Unholdable):
        Places(str(tmp_path), is_windows=True).of(key)
    assert Places(str(tmp_path), is_windows=False).of(key) == str(tmp_path / key)


def test_a_folder_that_is_known_opens_no_way_around_the_checks(tmp_path: Path) -> None:
    places = Places(str(tmp_path))
    assert [places.of(key) for key in ("c", "a/c")] == [str(tmp_path / "c"), str(tmp_path / "a" / "c")]
    for key in ("/c", "//c", "a//c", "a/..", "./c", "..", "a/\0"):
        with pytest.raises(Unholdable):
            places.of(key)


def test_two_names_that_a_system_takes_for_one_do_not_overwrite_each_other(tmp_path: Path) -> None:
    places = Places(str(tmp_path), folds=True)
    assert places.of("Data/a") == str(tmp_path / "Data" / "a") == places.of("Data/a")
    for key in ("data/a", "Data/A", "DATA/b"):
        with pytest.raises(Unholdable, match="takes its name for that of"):
            places.of(key)
    places.of("\u00e9")
    with pytest.raises(Unholdable):
        places.of("e\u0301")
    apart = Places(str(tmp_path), folds=False)
    assert {apart.of("x"), apart.of("X")} == {str(tmp_path / "x"), str(tmp_path / "X")}


def test_a_file_where_a_folder_must_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(Unholdable, match="is a file where a folder must be"):
        Places(str(tmp_path)).of("a/b")


def test_what_the_file_system_does_is_tried_and_leaves_nothing(tmp_path: Path) -> None:
    assert folds_case(str(tmp_path)) is False
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_ends_with_a_slash_is_a_folder(tmp_path: Path) -> None:
    assert Places(str(tmp_path)).of("a/b/") == str(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_junction_of_windows_is_a_link_and_no_folder_to_look_into() -> None:
    class Junction:
        name, path = "out", "out"

        def is_dir(self, *, follow_symlinks: bool) -> bool:
            return True

        def stat(self, *, follow_symlinks: bool) -> object:
            return type("Status", (), {"st_mode": stat.S_IFDIR, "st_file_attributes": 0x400, "st_size": 0})

    assert not ordered._is_folder(Junction())  # type: ignore[arg-type]
    assert ordered._local(Junction(), "out").trouble == "it is a link, not a file"  # type: ignore[arg-type]
