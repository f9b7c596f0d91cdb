"""Looking into a data set by folder, and at where it came from."""

import pytest

from strongroom.actions import folders, lineage
from strongroom.core.errors import Invalid, NotFound
from strongroom.core.vocabulary import Kind
from tests.world import World, actor_of


def test_a_folder_shows_its_files_and_sums_up_what_is_below_it(world: World) -> None:
    dataset = world.dataset()
    files = {"b.csv": b"12", "a/x": b"123", "a/deep/y": b"1", "a-b": b"", "c/z": b"1"}
    world.uploaded(dataset, **files)
    top = folders.show(actor_of(dataset.created_by), dataset.id)
    assert [(each.name, each.object_count, each.size_bytes) for each in top.folders] == [("a", 2, 4), ("c", 1, 1)]
    assert [each.key for each in top.files] == ["a-b", "b.csv"]
    assert top.total and (top.total.object_count, top.total.size_bytes) == (5, 7)
    assert folders.show(actor_of(dataset.created_by), dataset.id, limit=2).total is None
    below = folders.show(actor_of(dataset.created_by), dataset.id, prefix="a/")
    assert [each.name for each in below.folders] == ["deep"] and [each.key for each in below.files] == ["a/x"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_of_any_size_show_everything_once(world: World, limit: int) -> None:
    dataset = world.dataset()
    world.uploaded(dataset, **dict.fromkeys(("a/1", "a/2", "b", "c/1", "c/2", "d", "e/f/g"), b"1"))
    seen, after = [], ""
    while True:
        part = folders.show(actor_of(dataset.created_by), dataset.id, after=after, limit=limit)
        seen += [each.prefix for each in part.folders] + [each.key for each in part.files]
        if part.next_after is None:
            break
        after = part.next_after
    assert sorted(seen) == ["a/", "b", "c/", "d", "e/"]


def test_a_large_folder_is_skipped_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "COUNTED", 3)
    dataset = world.dataset()
    world.uploaded(dataset, **{f"many/{number}": b"1" for number in range(5)}, few=b"1", zz=b"1")
    top = folders.show(actor_of(dataset.created_by), dataset.id)
    assert [(each.object_count, each.is_counted) for each in top.folders] == [(3, False)]
    assert [each.key for each in top.files] == ["few", "zz"]


def test_a_prefix_that_is_no_folder_and_a_stranger_are_refused(world: World) -> None:
    dataset = world.dataset()
    with pytest.raises(Invalid):
        folders.show(actor_of(dataset.created_by), dataset.id, prefix="a")
    with pytest.raises(NotFound):
        folders.show(world.person(), dataset.id)


def test_lineage_tells_how_far_each_data_set_is_away(world: World) -> None:
    first = world.dataset()
    space, rows = first.space, [first]
    for number in range(6):
        rows.append(world.dataset(space, kind=Kind.DERIVATIVE, name=f"d{number}", source_ids=[rows[-1].id]))
    told = lineage.show(world.owner(space), rows[1].id)
    assert [told.levels.get(row.id) for row in rows] == [-1, 0, 1, 2, 3, 4, None]
    assert (rows[0].id, rows[1].id) in told.links
    assert told.is_cut and not lineage.show(world.owner(space), rows[2].id).is_cut
    with pytest.raises(NotFound):
        lineage.show(world.person(), first.id)
