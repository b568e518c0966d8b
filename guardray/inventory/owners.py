"""Whose public addresses were: the account that held one at a time, as far as the inventory says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

Fact = dict[str, Any]


class Owners:
    """Public addresses of known accounts. Asked once a finding, so that it goes through rows one by one."""

    def __init__(self, facts: pl.DataFrame) -> None:
        """Facts in their order (`facts.together`)."""
        given = facts.filter(
            pl.col("kind").is_in(("allocated", "public"))
            & pl.col("public_ip").is_not_null()
            & pl.col("cloud_account_uid").is_not_null()
        )
        columns = ["time", "kind", "public_ip", "cloud_account_uid", "instance_uid", "interface_uid", "link_uid"]
        self._given: dict[str, list[Fact]] = {}
        for fact in given.select(columns).iter_rows(named=True):
            self._given.setdefault(fact["public_ip"], []).append(fact)
        self._ends = {
            column: _times(facts.filter(pl.col("kind") == kind), column)
            for kind, column in (("ended", "instance_uid"), ("deleted", "interface_uid"), ("released", "link_uid"))
        }

    def of(self, public_ip: str, time: datetime) -> str | None:
        """The account that had the address; None where it is not known, nor where two are said to have had it."""
        held = [one for one in self._given.get(public_ip, ()) if one["time"] <= time and not self._has_ended(one, time)]
        latest = {one["cloud_account_uid"] for one in held if one["time"] == held[-1]["time"]}
        return latest.pop() if len(latest) == 1 else None

    def _has_ended(self, fact: Fact, time: datetime) -> bool:
        """Whether an address that came with an instance, an interface or an association has gone with it."""
        if fact["kind"] == "allocated":
            return False
        return any(
            fact["time"] <= end <= time for column, ends in self._ends.items() for end in ends.get(fact[column], ())
        )


def _times(facts: pl.DataFrame, column: str) -> dict[str, list[datetime]]:
    found = facts.select(column, "time").drop_nulls().group_by(column).agg("time")
    return dict(found.iter_rows())
