"""Lists that are for some accounts and Regions only: which of them a row has to do with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.intel.entries import ThreatList
from guardray.types import AccountId, Region


@dataclass(frozen=True)
class Scopes:
    """Accounts and Regions that lists are for; those with the same lists share a circle.

    Attributes:
        circles: the number of the circle that each account and Region is in, where any list is for it.
        lists: for each circle, the numbers of its lists.
    """

    circles: dict[tuple[AccountId, Region], int]
    lists: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, lists: Sequence[ThreatList]) -> Scopes:
        """From all lists, of which those without a scope are in no circle."""
        held: dict[tuple[AccountId, Region], tuple[int, ...]] = {}
        for number, threat_list in enumerate(lists):
            for pair in threat_list.scope or ():
                held[pair] = (*held.get(pair, ()), number)
        numbers = {members: circle for circle, members in enumerate(sorted(set(held.values())))}
        return cls({pair: numbers[held[pair]] for pair in sorted(held)}, tuple(numbers))

    def rows(self, accounts: pl.Series | None, regions: pl.Series | None) -> list[tuple[int, npt.NDArray[np.uint32]]]:
        """The circles that rows with these accounts and Regions are in, and which rows these are."""
        if not self.circles or accounts is None or regions is None:
            return []
        rows = pl.DataFrame({"account": accounts.cast(pl.String), "region": regions.cast(pl.String)})
        inside = rows.with_row_index("row").join(self._table, on=["account", "region"], maintain_order="left")
        return [(int(part["circle"][0]), part["row"].to_numpy()) for part in inside.partition_by("circle")]

    @cached_property
    def _table(self) -> pl.DataFrame:
        pairs = [(account, region, circle) for (account, region), circle in self.circles.items()]
        return pl.DataFrame(pairs, {"account": pl.String, "region": pl.String, "circle": pl.UInt32}, orient="row")
