"""One row of numbers a key, growing by doubling: what every summary keeps its state in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Rows:
    """A two-dimensional array that grows at its end.

    Args:
        empty: [width], what a new row holds; its type is the type of all.
    """

    def __init__(self, empty: NDArray[Any]) -> None:
        self._empty = empty
        self._is_uniform = bool((empty == empty[0]).all())
        self._length = 0
        self._data = np.empty((0, len(empty)), dtype=empty.dtype)

    def __len__(self) -> int:
        return self._length

    @property
    def width(self) -> int:
        return len(self._empty)

    @property
    def values(self) -> NDArray[Any]:
        """All rows, [len, width]: a view that is valid until the next resize."""
        return self._data[: self._length]

    @property
    def column(self) -> NDArray[Any]:
        """The first number of every row, [len]: a view."""
        return self.values[:, 0]

    @property
    def nbytes(self) -> int:
        return self._data.nbytes

    def resize(self, length: int) -> None:
        """Grow to this many rows, new ones empty. Never shrinks."""
        if length > len(self._data):
            data = np.empty((max(length, 2 * len(self._data)), self.width), dtype=self._data.dtype)
            data[: self._length] = self.values
            self._data = data
        if length > self._length:
            new = self._data[self._length : length]
            if self._is_uniform:
                new.fill(self._empty[0])  # broadcasting short rows takes ten times as long
            else:
                new[:] = self._empty
            self._length = length

    def take(self, rows: NDArray[np.int64]) -> None:
        """Keep these rows, in this order."""
        self._data = self._data[rows]
        self._length = len(rows)

    def to_arrow(self) -> pa.FixedSizeListArray:
        """All rows: a copy, which later changes leave as it is."""
        return pa.FixedSizeListArray.from_arrays(pa.array(self.values.flatten()), self.width)

    def like(self, array: pa.Array | pa.ChunkedArray) -> Rows:
        """Rows of the same kind that hold what `to_arrow` gave.

        Raises:
            ValueError: the array is of another type, or holds nulls.
        """
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        expected = pa.list_(pa.from_numpy_dtype(self._empty.dtype), self.width)
        if array.type != expected or array.null_count or array.flatten().null_count:
            raise ValueError(f"expected {expected} without nulls, not {array.type} with {array.null_count}")
        other = Rows(self._empty)
        other._data = array.flatten().to_numpy(zero_copy_only=False).reshape(-1, self.width).copy()
        other._length = len(array)
        return other
