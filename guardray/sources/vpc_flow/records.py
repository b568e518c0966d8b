"""Lines of one layout, cut into fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardray.sources.decoder import BadRow
from guardray.sources.vpc_flow.fields import Layout


@dataclass(frozen=True)
class Records:
    """Lines that have as many fields as their layout.

    Attributes:
        lines: the text that they are in.
        text: the same as uint8 [bytes].
        bounds: int32 [records, fields + 1], as `kernels.split` gives it.
    """

    lines: bytes
    text: NDArray[np.uint8]
    bounds: NDArray[np.int32]
    layout: Layout

    def __len__(self) -> int:
        return len(self.bounds)

    def part(self, name: str, first: int, last: int) -> tuple[NDArray[np.uint8], NDArray[np.int32], int]:
        """Text, bounds of the records from `first` up to `last`, and position of a field: what kernels begin with."""
        return self.text, self.bounds[first:last], self.layout.positions[name]

    def only(self, rows: NDArray[np.intp]) -> Records:
        """Some of the records."""
        return Records(self.lines, self.text, self.bounds[rows], self.layout)

    def fields(self, rows: NDArray[Any], name: str) -> list[bytes]:
        """One field of some of the records."""
        position = self.layout.positions[name]
        starts, ends = self.bounds[rows, position].tolist(), self.bounds[rows, position + 1].tolist()
        return [self.lines[start + 1 : end] for start, end in zip(starts, ends, strict=True)]

    def bad_row(self, row: int, reason: str, offset: int) -> BadRow:
        """A record that cannot be used; `offset` is where `lines` starts in the object."""
        start, end = int(self.bounds[row, 0]) + 1, int(self.bounds[row, -1])
        return BadRow(position=offset + start, reason=reason, content=self.lines[start:end])


def problem(name: str, field: bytes, reason: str) -> str:
    """What is wrong with a field."""
    return f"{name} {field.decode(errors='replace')!r} {reason}"
