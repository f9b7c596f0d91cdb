"""The page of figures: it is what the kept figures give, it leaves no part out, and says what was not measured."""

import json

from bench import __main__ as bench
from bench import page

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
