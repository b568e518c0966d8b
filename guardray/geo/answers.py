"""What databases said of networks, kept: a second address of a network is not asked about again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Told = dict[str, Any]

TOLD = pl.Schema({"country_code": pl.String(), "asn": pl.Int64()})
"""What is kept of an answer."""

MOST_KEPT = 2**20
"""Networks that are kept, some 40 MB, more than most days of flow logs meet; then all are forgotten."""


class Answers:
    """Answers by IPv4 network, which grow with use.

    Threads may share them: a table is replaced and never changed, so that at worst an answer is asked for twice.

    Args:
        ask: an IPv4 number to what is told of it, and the length of the prefix of the network that this holds for.
    """

    def __init__(self, ask: Callable[[int], tuple[Told, int]]) -> None:
        self._ask = ask
        self._networks = pl.Schema({"first": pl.UInt32(), "last": pl.UInt32(), **TOLD}).to_frame()

    def __len__(self) -> int:
        """How many networks are kept."""
        return self._networks.height

    def of(self, numbers: npt.NDArray[np.uint32]) -> pl.DataFrame:
        """Addresses [n] to `TOLD`: give distinct ones."""
        networks = self._networks if self._networks.height <= MOST_KEPT else self._networks.clear()
        at, is_kept = _places(networks, numbers)
        if not is_kept.all():
            networks = self._networks = pl.concat([networks, self._asked(numbers[~is_kept])]).sort("first")
            at, _ = _places(networks, numbers)
        return networks.select(TOLD.names())[at]

    def _asked(self, numbers: npt.NDArray[np.uint32]) -> pl.DataFrame:
        """The networks of these addresses, each once."""
        rows: list[tuple[int, int, str | None, int | None]] = []
        last = -1
        for number in np.sort(numbers).tolist():
            if number > last:
                told, prefix = self._ask(number)
                first = number >> (32 - prefix) << (32 - prefix)
                last = first + (1 << (32 - prefix)) - 1
                rows.append((first, last, told.get("country_code"), told.get("asn")))
        return pl.DataFrame(rows, self._networks.schema, orient="row")


def _places(
    networks: pl.DataFrame, numbers: npt.NDArray[np.uint32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Which network each address would be in, and whether it is."""
    if not networks.height:
        return np.zeros(len(numbers), np.int64), np.zeros(len(numbers), bool)
    at = np.searchsorted(networks["first"].to_numpy(), numbers, side="right") - 1
    return at, (at >= 0) & (numbers <= networks["last"].to_numpy()[at])
