"""What a data set holds and how it grew, as its contents page says it."""

from datetime import date, timedelta

import pytest

from strongroom.actions import folders, measuring
from strongroom.console.datasets import growing
from strongroom.db.models import Dataset, DatasetSize
from tests.console.datasets.shown import root, seen
from tests.console.signed_in import browser
from tests.world import World

pytestmark = pytest.mark.django_db


def sizes(*held: int) -> list[DatasetSize]:
    first = date(2031, 1, 1)
    return [DatasetSize(day=first + timedelta(days=n), object_count=n, size_bytes=size) for n, size in enumerate(held)]


def test_the_total_is_told_as_soon_as_it_was_counted_on_the_page_and_in_the_space(world: World) -> None:
    dataset = world.dataset()
    client = browser(world.owner(dataset.space))
    assert "0 bytes in 0 objects." in seen(client, f"{root(dataset)}/contents")
    world.uploaded(dataset, x=b"1" * 1500, y=b"")
    shown = seen(client, f"{root(dataset)}/contents")
    assert "1.5 kB in 2 objects." in shown
    assert "Growth" not in shown
    measuring.run_due()
    assert "1.5 kB" in seen(client, f"/spaces/{dataset.space_id}")


def test_what_is_too_much_to_be_counted_for_a_page_was_counted_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "COUNTED", 2)
    dataset = world.dataset()
    client = browser(world.owner(dataset.space))
    world.uploaded(dataset, **{"a/x": b"1" * 1500, "a/y": b"", "a/z": b""})
    assert "Not counted yet" in seen(client, f"{root(dataset)}/contents")
    measuring.run_due()
    assert "1.5 kB in 3 objects, counted" in seen(client, f"{root(dataset)}/contents")


def test_growth_is_drawn_and_told_day_by_day(world: World) -> None:
    dataset = world.dataset()
    for day, size in ((1, 1000), (2, 4000)):
        DatasetSize.objects.create(dataset=dataset, day=date(2031, 1, day), object_count=day, size_bytes=size)
    Dataset.objects.update(measure_at=None)
    shown = seen(browser(world.owner(dataset.space)), f"{root(dataset)}/contents")
    assert "3.0 kB more than on 1 Jan 2031." in shown
    assert "2 Jan 2031 2 4.0 kB 1 Jan 2031 1 1.0 kB" in shown


def test_bars_are_as_high_as_their_share_and_stand_by_their_day() -> None:
    held = [*sizes(10, 0, 40), DatasetSize(day=date(2031, 1, 6), object_count=9, size_bytes=20)]
    drawn = growing.draw(held)
    assert drawn is not None
    assert [bar.height for bar in drawn.bars] == [24, 1, 96, 48]
    assert all(bar.y + bar.height == drawn.height for bar in drawn.bars)
    step = drawn.bars[1].x
    assert [bar.x for bar in drawn.bars] == [0, step, 2 * step, 5 * step]
    assert drawn.bars[-1].x + drawn.bars[-1].width <= drawn.width <= growing.WIDTH
    assert (drawn.change_bytes, drawn.is_shrunk) == (10, False)


def test_a_month_fits_and_what_shrank_is_said_to() -> None:
    drawn = growing.draw(sizes(*range(30, 0, -1)))
    assert drawn is not None and drawn.is_shrunk
    assert drawn.bars[-1].x + drawn.bars[-1].width <= growing.WIDTH


@pytest.mark.parametrize("held", [(), (5,)])
def test_a_single_day_shows_no_growth(held: tuple[int, ...]) -> None:
    assert growing.draw(sizes(*held)) is None


def test_days_on_which_nothing_was_held_are_drawn_too() -> None:
    drawn = growing.draw(sizes(0, 0))
    assert drawn is not None and [bar.height for bar in drawn.bars] == [1, 1]
