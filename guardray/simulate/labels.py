"""Labels: what a correct detector should say about the simulated logs, and what it must not say.

Columns are those of the scorer's API layout with `case`, `account`, `entity`, `remote`, `collateral` and `tempts`, so
that all kinds of logs fit one file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guardray.simulate.period import Period
from guardray.simulate.rendering import utc_times

COLUMNS = (
    "file",
    "selector_type",
    "selector",
    "start",
    "end",
    "actor",
    "technique",
    "expected",
    "acceptable",
    "precondition",
    "trust",
    "note",
    "case",
    "account",
    "entity",
    "remote",
    "collateral",
    "tempts",
)


@dataclass(frozen=True)
class Label:
    """One row of the labels file. `expected` without a finding type is a hard negative."""

    account: str
    start: float
    end: float
    technique: str
    expected: str = "benign"
    acceptable: tuple[str, ...] = ()
    collateral: tuple[str, ...] = ()
    tempts: tuple[str, ...] = ()
    actor: str = ""
    entity: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    file: str = ""
    case: str = ""
    note: str = ""

    def cells(self) -> dict[str, str]:
        start, end = utc_times(np.array([self.start, self.end]))
        selector = self.actor or "|".join(self.entity)
        return {
            "file": self.file,
            "selector_type": "actor_time" if selector else "all_other",
            "selector": selector or "*",
            "start": start,
            "end": end,
            "actor": self.actor,
            "technique": self.technique if self.expected != "benign" else f"benign:{self.technique}",
            "expected": self.expected,
            "acceptable": ";".join(self.acceptable),
            "precondition": "",
            "trust": "high",
            "note": self.note,
            "case": self.case,
            "account": self.account,
            "entity": "|".join(self.entity),
            "remote": "|".join(self.remote),
            "collateral": ";".join(self.collateral),
            "tempts": ";".join(self.tempts),
        }


def everything_else(account: str, period: Period) -> Label:
    """The row that makes every other finding of the account a false positive, and counts its days."""
    return Label(account, period.start, period.end - 1, "everything else")


def write_labels(path: Path, labels: Iterable[Label]) -> None:
    """Write the labels file, rows in the order given."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(label.cells() for label in labels)
