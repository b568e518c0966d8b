"""Many short texts in two arrays, which processes can share as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Texts:
    """A sequence of texts as UTF-8.

    Attributes:
        offsets: int64 [n + 1]: text i is `data[offsets[i]:offsets[i + 1]]`.
        data: uint8.
    """

    offsets: npt.NDArray[np.int64]
    data: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, texts: pl.Series) -> Texts:
        """From a String series without nulls."""
        array = texts.rechunk().to_arrow().cast(pa.large_string())
        if not len(array):
            return cls(np.zeros(1, np.int64), np.zeros(0, np.uint8))
        _, offsets, data = array.buffers()
        bounds = np.frombuffer(offsets, np.int64, len(array) + 1, array.offset * 8)
        return cls(bounds - bounds[0], np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> bytes:
        """Text number `index`, from 0."""
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes()
