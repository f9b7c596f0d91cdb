"""Log files: private, bounded, and nothing of the last lines is lost."""

import stat
from pathlib import Path

from strongroom.runtime.logfile import KEPT, BoundedLog


def test_a_log_never_takes_more_than_its_bound_times_the_files_kept(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "web.log", max_bytes=1000)
    for number in range(500):
        log.write(f"line {number}\n".encode())
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["web.log", "web.log.1", "web.log.2"]
    assert all(each.stat().st_size <= 1000 for each in files)
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in files)
    assert len(files) == KEPT + 1
    kept = "".join(each.read_text() for each in reversed(files)).splitlines()
    assert kept == [f"line {number}" for number in range(500 - len(kept), 500)]


def test_a_log_goes_on_where_the_last_start_ended(tmp_path: Path) -> None:
    for word in (b"first\n", b"second\n"):
        log = BoundedLog(tmp_path / "web.log", max_bytes=1000)
        log.write(word)
        log.close()
    assert log.tail(5) == ["first", "second"]


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "web.log", max_bytes=10**6)
    log.write(b"".join(f"{number}\n".encode() for number in range(5000)))
    assert log.tail(2) == ["4998", "4999"]
