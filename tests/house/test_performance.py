"""The page of figures: it is what the kept figures give, it leaves no part out, and says what was not measured."""

import json

from bench import __main__ as bench
from bench import page, painting

FIGURES = json.loads(bench.KEPT.read_text())


def test_the_page_is_what_the_kept_figures_give() -> None:
    assert bench.PAGE.read_text(encoding="utf-8") == page.markdown(FIGURES, bench.SECTIONS)


def test_every_part_of_the_bench_has_a_heading_with_figures_under_it() -> None:
    parts = page.markdown(FIGURES, bench.SECTIONS).split("\n## ")[1:]
    assert len(parts) == len({key.split()[0] for key in FIGURES})
    assert all("| ---" in each for each in parts), [each.partition("\n")[0] for each in parts]


def test_a_part_without_figures_is_named_and_gets_no_empty_heading() -> None:
    without = {key: value for key, value in FIGURES.items() if key.split()[0] != "mounts"}
    written = page.markdown(without, bench.SECTIONS)
    assert "Not measured yet:" in written
    assert "`python -m bench mounts`" in written
    assert "## Mounts on a server" not in written


def test_no_kept_figure_is_of_a_part_that_the_bench_does_not_have() -> None:
    assert {key.split()[0] for key in FIGURES} <= set(bench.SECTIONS)


def _event(name: str, milliseconds: int, **data: object) -> dict[str, object]:
    return {"name": name, "ts": milliseconds * 1000, "args": {"data": data}}


def test_a_trace_is_read_from_the_start_of_the_page_that_was_opened_last() -> None:
    trace = [
        _event("navigationStart", 100, documentLoaderURL="http://here/first"),
        _event("firstContentfulPaint", 150),
        _event("navigationStart", 1000, documentLoaderURL="http://here/second"),
        _event("navigationStart", 1500, documentLoaderURL=""),
        _event("ResourceSendRequest", 1001, requestId="1", url="http://here/second"),
        _event("ResourceSendRequest", 1002, requestId="2", url="https://elsewhere/"),
        _event("firstContentfulPaint", 1200),
        _event("largestContentfulPaint::Candidate", 1200),
        _event("largestContentfulPaint::Candidate", 1300),
        _event("LayoutShift", 1250, score=0.02, had_recent_input=False),
        _event("LayoutShift", 1260, score=0.5, had_recent_input=True),
        _event("ResourceFinish", 1100, requestId="1", encodedDataLength=700),
        _event("ResourceFinish", 1100, requestId="2", encodedDataLength=9000),
    ]
    assert painting.read(trace, "http://here") == {"first": 200, "largest": 300, "shift": 0.02, "bytes": 700}
    assert painting.read(trace[:8], "http://here") is not None
    assert painting.read(trace[:7], "http://here") is None
