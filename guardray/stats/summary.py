"""What all mergeable summaries share: one row of state a key, and how it is kept, merged and stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guardray.stats.rows import Rows


class Summary(ABC):
    """A summary of many keys, one dense row each.

    Unless a kind says otherwise, updating and merging are exact, commutative and associative: however values are
    split over summaries, ordered and batched, the merged state is the same, byte for byte.

    Args:
        empty: [width], the state of a key that has seen nothing.
    """

    def __init__(self, empty: NDArray[Any]) -> None:
        self._rows = Rows(empty)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def state(self) -> NDArray[Any]:
        """[len, width]: a view that is valid until the next resize."""
        return self._rows.values

    @property
    def nbytes(self) -> int:
        return self._rows.nbytes

    def resize(self, length: int) -> None:
        """Make room for this many keys, new ones empty."""
        self._rows.resize(length)

    def take(self, rows: NDArray[np.int64]) -> None:
        """Keep these rows, in this order."""
        self._rows.take(rows)

    def to_arrow(self) -> pa.FixedSizeListArray:
        """The state of all rows: a copy, which later updates leave as it is."""
        return self._rows.to_arrow()

    def from_arrow(self, array: pa.Array | pa.ChunkedArray) -> Self:
        """A summary with the settings of this one that holds what `to_arrow` gave.

        Raises:
            ValueError: the array is not of this kind or of other settings.
        """
        other = copy(self)
        other._rows = self._rows.like(array)
        return other

    def merge(self, rows: NDArray[np.int64], other: Self, other_rows: NDArray[np.int64]) -> None:
        """Add the state of `other_rows` in another summary of the same settings to `rows` here; both int64 [n].

        Rows may repeat.
        """
        self._merge(self._checked(rows), np.ascontiguousarray(other.state[other_rows]))

    @abstractmethod
    def _merge(self, rows: NDArray[np.int64], states: NDArray[Any]) -> None:
        """Add each of the states, [n, width], to its row."""

    @abstractmethod
    def read(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """What the summary says of these rows; masked where it has seen nothing to say it of."""

    def _checked(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows as compiled code, which does not check bounds, takes them."""
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)}")
        return rows


def as_integers(values: NDArray[Any]) -> NDArray[np.int64]:
    """Integers as contiguous int64.

    Raises:
        TypeError: they are not whole numbers that always fit.
    """
    if not np.can_cast(values.dtype, np.int64, "safe"):
        raise TypeError(f"{values.dtype} does not fit int64")
    return np.ascontiguousarray(values, dtype=np.int64)
