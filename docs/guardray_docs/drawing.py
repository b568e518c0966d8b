"""The import graph as a layered SVG: boxes with what each package is for, curves for what it imports."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from guardray_docs.imports import Graph
from guardray_docs.placing import BOX_HEIGHT, BOX_WIDTH, Chain, Place, Placed, place

PORT_SPREAD = 18.0
"""Pixels between the ends of curves that meet one box, so that they can be told apart."""

PURPOSE_COLUMNS, PURPOSE_LINES = 32, 3
LINE_HEIGHT = 14.0

STYLE = """
  .paper { fill: #ffffff }
  .box { fill: #f4f7fb; stroke: #35507a; stroke-width: 1.2 }
  .name { font: bold 15px ui-monospace, Menlo, Consolas, monospace; fill: #1b2a41 }
  .purpose { font: 11px system-ui, Helvetica, Arial, sans-serif; fill: #44546a }
  .import { fill: none; stroke: #6c7f9c; stroke-width: 1.4; marker-end: url(#head) }
  .head { fill: #6c7f9c }
"""


def draw(layers: Sequence[Sequence[str]], graph: Graph, purposes: Mapping[str, str]) -> str:
    """An SVG document of the packages in their layers.

    Args:
        layers: rows of packages, top first; those that `purposes` lacks are left out, and empty rows with them.
        graph: the imports to draw, all of them downwards.
        purposes: each package to one sentence.
    """
    rows = [kept for row in layers if (kept := [package for package in row if package in purposes])]
    placed = place(rows, graph)
    boxes = (_box(package, purposes[package], *placed.centres[package]) for row in rows for package in row)
    size = f"{placed.width:.0f} {placed.height:.0f}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">',
            "<title>Packages of guardray and their imports</title>",
            f"<style>{STYLE}</style>",
            '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path class="head" d="M0 0 L8 4 L0 8 z"/></marker>',
            '<rect class="paper" width="100%" height="100%"/>',
            *_curves(placed),
            *boxes,
            "</svg>\n",
        ]
    )


def _box(package: str, purpose: str, x: float, y: float) -> str:
    lines = textwrap.wrap(purpose, PURPOSE_COLUMNS, max_lines=PURPOSE_LINES, placeholder=" …")
    top = y - BOX_HEIGHT / 2
    text = "".join(
        f'<text class="purpose" x="{x:.0f}" y="{top + 36 + LINE_HEIGHT * number:.0f}" text-anchor="middle">'
        f"{escape(line)}</text>"
        for number, line in enumerate(lines)
    )
    return (
        f'<rect class="box" x="{x - BOX_WIDTH / 2:.0f}" y="{top:.0f}" width="{BOX_WIDTH:.0f}" '
        f'height="{BOX_HEIGHT:.0f}" rx="6"/>'
        f'<text class="name" x="{x:.0f}" y="{top + 20:.0f}" text-anchor="middle">{escape(package)}</text>{text}'
    )


def _curves(placed: Placed) -> Iterator[str]:
    leaving = _ports(placed, {chain: (chain[0], chain[1]) for chain in placed.chains})
    arriving = _ports(placed, {chain: (chain[-1], chain[-2]) for chain in placed.chains})
    for chain in placed.chains:
        yield f'<path class="import" d="{_path(placed, chain, leaving[chain], arriving[chain])}"/>'


def _ports(placed: Placed, ends: Mapping[Chain, tuple[Place, Place]]) -> dict[Chain, float]:
    """The x at which each chain meets the box at its end, in the order of the places that come next."""
    ports: dict[Chain, float] = {}
    for box in {box for box, _ in ends.values()}:
        meeting = sorted((placed.centres[beside][0], chain) for chain, (end, beside) in ends.items() if end == box)
        for number, (_, chain) in enumerate(meeting):
            ports[chain] = placed.centres[box][0] + (number - (len(meeting) - 1) / 2) * PORT_SPREAD
    return ports


def _path(placed: Placed, chain: Chain, leaves: float, arrives: float) -> str:
    """Curves from row to row, and straight through the rows that the import passes."""
    xs = [leaves, *(placed.centres[lane][0] for lane in chain[1:-1]), arrives]
    ys = [placed.centres[here][1] for here in chain]
    half = BOX_HEIGHT / 2
    parts = [f"M{xs[0]:.0f} {ys[0] + half:.0f}"]
    for (x, y), (next_x, next_y) in pairwise(zip(xs, ys, strict=True)):
        top, bottom = y + half, next_y - half
        middle = (top + bottom) / 2
        parts.append(f"V{top:.0f} C{x:.0f} {middle:.0f} {next_x:.0f} {middle:.0f} {next_x:.0f} {bottom:.0f}")
    return " ".join(parts)
