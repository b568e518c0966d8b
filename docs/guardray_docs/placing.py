"""Where the packages and the imports between them go in the layered picture.

Source: Sugiyama, Tagawa and Toda 1981: an edge that passes rows gets a place (a lane) in each of them, and the places
of a row are sorted by the mean position of what they connect to, some times down and up again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import fmean

from guardray_docs.imports import Graph

BOX_WIDTH, BOX_HEIGHT = 214.0, 76.0
LANE_WIDTH = 10.0
GAP_X, GAP_Y = 22.0, 58.0
MARGIN = 24.0
SWEEPS = 12

Lane = tuple[str, str, int]
"""An import (importer, imported) where it passes a row."""

Place = str | Lane
"""A package, or a lane."""

Chain = tuple[Place, ...]
"""One import: the importer, its lanes from top to bottom, the imported package."""


@dataclass(frozen=True)
class Placed:
    """The picture's measures in pixels: centre of each place, and the chains to draw between them."""

    centres: dict[Place, tuple[float, float]]
    chains: tuple[Chain, ...]
    width: float
    height: float


def place(layers: Sequence[Sequence[str]], graph: Graph) -> Placed:
    """Gives every package and import its place; imports must point from an earlier layer to a later one."""
    row_of = {package: row for row, packages in enumerate(layers) for package in packages}
    chains: list[Chain] = []
    rows: list[list[Place]] = [list(packages) for packages in layers]
    for importer, imported in ((one, other) for one in sorted(graph) for other in sorted(graph[one])):
        passed = range(row_of[importer] + 1, row_of[imported])
        lanes: list[Lane] = [(importer, imported, row) for row in passed]
        chains.append((importer, *lanes, imported))
        for lane in lanes:
            rows[lane[2]].append(lane)
    return _measure(_least_crossings(rows, chains), tuple(chains))


def _least_crossings(rows: list[list[Place]], chains: Sequence[Chain]) -> list[list[Place]]:
    best, fewest = rows, _crossings(rows, chains)
    for sweep in range(SWEEPS):
        rows = _sorted_rows(rows, chains, down=sweep % 2 == 0)
        if (crossings := _crossings(rows, chains)) < fewest:
            best, fewest = rows, crossings
    return best


def _sorted_rows(rows: Sequence[Sequence[Place]], chains: Sequence[Chain], *, down: bool) -> list[list[Place]]:
    """Each row sorted by the mean position of its neighbours in the row before, going down or up."""
    steps = [step if down else step[::-1] for chain in chains for step in pairwise(chain)]
    done: list[list[Place]] = []
    position: dict[Place, float] = {}
    for row in rows if down else reversed(rows):
        mean = {
            here: fmean([position[before] for before, after in steps if after == here] or [(index + 0.5) / len(row)])
            for index, here in enumerate(row)
        }
        done.append(sorted(row, key=mean.__getitem__))
        position |= {here: (index + 0.5) / len(row) for index, here in enumerate(done[-1])}
    return done if down else done[::-1]


def _crossings(rows: Sequence[Sequence[Place]], chains: Sequence[Chain]) -> int:
    index = {here: number for row in rows for number, here in enumerate(row)}
    row_of = {here: number for number, row in enumerate(rows) for here in row}
    steps = [step for chain in chains for step in pairwise(chain)]
    return sum(
        row_of[a] == row_of[c] and (index[a] - index[c]) * (index[b] - index[d]) < 0
        for (a, b), (c, d) in combinations(steps, 2)
    )


def _width(here: Place) -> float:
    return BOX_WIDTH if isinstance(here, str) else LANE_WIDTH


def _measure(rows: Sequence[Sequence[Place]], chains: tuple[Chain, ...]) -> Placed:
    widths = [sum(map(_width, row)) + GAP_X * (len(row) - 1) for row in rows]
    width = max(widths) + 2 * MARGIN
    centres: dict[Place, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        x = (width - widths[number]) / 2
        for here in row:
            centres[here] = x + _width(here) / 2, MARGIN + BOX_HEIGHT / 2 + number * (BOX_HEIGHT + GAP_Y)
            x += _width(here) + GAP_X
    return Placed(centres, chains, width, 2 * MARGIN + len(rows) * (BOX_HEIGHT + GAP_Y) - GAP_Y)
