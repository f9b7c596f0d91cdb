"""Draws where a data set came from and what was made from it; the template writes the shapes as SVG."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext

from strongroom.actions.lineage import Lineage

BOX_WIDTH, BOX_HEIGHT = 240, 56
COLUMN_WIDTH, ROW_HEIGHT = 310, 84
MARGIN = 12
_LETTERS = 24  # of a name that fit into a box


@dataclass(frozen=True, slots=True)
class Box:
    """A data set (None: the external source), with the place of its upper left corner."""

    dataset: Any  # a row, whose class the edges do not know
    name: str
    x: int
    y: int
    is_self: bool
    width: int = BOX_WIDTH
    height: int = BOX_HEIGHT

    @property
    def middle(self) -> int:
        """Where lines meet it."""
        return self.y + BOX_HEIGHT // 2

    @property
    def label_x(self) -> int:
        """Where its words begin."""
        return self.x + 14

    @property
    def first_line(self) -> int:
        """The line its name stands on."""
        return self.y + 24

    @property
    def second_line(self) -> int:
        """The line its kind and state stand on."""
        return self.y + 43

    @property
    def right(self) -> int:
        """Where lines leave it."""
        return self.x + BOX_WIDTH


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes, and the paths between them as SVG writes them."""

    width: int
    height: int
    boxes: list[Box]
    paths: list[str]


def draw(told: Lineage) -> Picture:
    """Sources on the left, derivatives on the right, in columns by their distance."""
    columns: dict[int, list[Any]] = defaultdict(list)
    for row in told.rows:
        columns[told.levels[row.id]].append(row)
    if told.dataset.external_source:
        columns[-1].append(None)
    first, tallest = min(columns), max(len(column) for column in columns.values())
    boxes: dict[UUID | None, Box] = {}
    for level, column in columns.items():
        top = MARGIN + (tallest - len(column)) * ROW_HEIGHT // 2
        for at, row in enumerate(column):
            box = _box(told, row, MARGIN + (level - first) * COLUMN_WIDTH, top + at * ROW_HEIGHT)
            boxes[row.id if row else None] = box
    links: list[tuple[UUID | None, UUID]] = [*told.links]
    if None in boxes:
        links.append((None, told.dataset.id))
    paths = [_path(boxes[source], boxes[derivative]) for source, derivative in links]
    width = (max(columns) - first) * COLUMN_WIDTH + BOX_WIDTH + 2 * MARGIN
    height = (tallest - 1) * ROW_HEIGHT + BOX_HEIGHT + 2 * MARGIN
    return Picture(width, height, list(boxes.values()), paths)


def _box(told: Lineage, row: Any, x: int, y: int) -> Box:
    name = row.name if row else gettext("External source")
    short = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
    return Box(row, short, x, y, row is not None and row.id == told.dataset.id)


def _path(source: Box, derivative: Box) -> str:
    bend = (source.right + derivative.x) // 2
    return (
        f"M{source.right} {source.middle} C{bend} {source.middle} "
        f"{bend} {derivative.middle} {derivative.x - 2} {derivative.middle}"
    )
