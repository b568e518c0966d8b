"""What each finding type costs, as `guardray bench --types` measured it; shipped beside this file as `costs.json`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec


class MeasuredCosts(msgspec.Struct, frozen=True, kw_only=True):
    """Costs of finding types, each measured alone, on one core of one machine.

    What detectors share, such as the count of an activity or the directory of interfaces, is in the cost of each of
    them, so that the costs of all add up to more than all cost together.

    Attributes:
        processor: what they were measured on.
        measured_on: and when.
        ns_per_row: finding type to nanoseconds of processor time for each row of its log, decoding and enrichment left
            out; dearest first.
    """

    processor: str
    measured_on: date
    ns_per_row: Mapping[str, float]

    @property
    def place(self) -> str:
        """Such as `AMD EPYC, 2026-01-12`, to be put beside a figure."""
        return f"{self.processor}, {self.measured_on}"


@cache
def measured_costs() -> MeasuredCosts:
    """The costs that ship with guardray. A finding type that is newer than they are is not among them."""
    return msgspec.json.decode((files(__package__) / "costs.json").read_bytes(), type=MeasuredCosts)
