"""What is usual: who there is, their values, amounts and hours, as pandas frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from guardray.checkpoints.checkpoints import read_manifest
from guardray.checkpoints.location import checkpoints_url
from guardray.checkpoints.parts import read_part
from guardray.checkpoints.place import Place
from guardray.dataflow.baseline import Baseline
from guardray.detectors.activity import Activity, Habit
from guardray.errors import UsageError
from guardray.shards.rhythms import active_hours
from guardray.store.location import store_url
from guardray.store.service import ServiceStore

if TYPE_CHECKING:
    import pandas as pd

_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


class Profiles:
    """What was learned of one activity, in all accounts.

    Args:
        tables: by name, as a baseline or a checkpoint has them.
        activity: whose tables are looked at.
    """

    def __init__(self, tables: Mapping[str, pa.Table], activity: Activity) -> None:
        self._activity = activity
        prefix = f"activities/{activity.name}/"
        self._tables = {
            name.removeprefix(prefix): pl.DataFrame(table) for name, table in tables.items() if name.startswith(prefix)
        }

    @classmethod
    def of(cls, data: Path, activity: Activity) -> Profiles:
        """Of the folder of a baseline, or of a service that kept its state at least once.

        Raises:
            UsageError: nothing is known there.
            SnapshotError, StateError: what there is cannot be read.
        """
        tables = Baseline.open(data).tables if (data / "manifest.json").exists() else _of_service(data)
        return cls(tables, activity)

    @property
    def actors(self) -> list[str]:
        """Columns that name who acts."""
        return list(self._activity.actors)

    def accounts(self) -> list[str]:
        """Of which anything is known."""
        return sorted(self._owners()[self.actors[0]].unique())

    def principals(self, account: str) -> pd.DataFrame:
        """Who acts, those first that are seen most: days, first and last day, values of each habit, a day's amounts."""
        of = self.actors
        found = self._owners().filter(pl.col(of[0]) == account).select(*of, "days", "first_day", "last_day")
        for name in self._habits():
            values = self._tables[name].group_by(of).len(name.removeprefix("principal_"))
            found = found.join(values, on=of, how="left", nulls_equal=True).with_columns(
                pl.col(values.columns[-1]).fill_null(0)
            )
        for name, level in dict(self._activity.levels).items():
            if list(level.of) == of:
                usual = self._tables[name].select(*of, pl.col("totals").list.median().alias(name))
                found = found.join(usual, on=of, how="left", nulls_equal=True)
        return found.drop(of[0]).sort("days", *of[1:], descending=[True, *[False] * len(of[1:])]).to_pandas()

    def usual(self, account: str, *whose: str) -> pd.DataFrame:
        """What somebody is known by: `habit`, `value`, `days`, `first_day`, `last_day` and `weight`, by habit and days.

        Args:
            whose: the other columns of `actors`, such as the principal.
        """
        is_theirs = pl.all_horizontal(
            pl.col(name) == value for name, value in zip(self.actors, (account, *whose), strict=True)
        )
        parts = [
            self._tables[name]
            .filter(is_theirs)
            .select(
                pl.lit(name.removeprefix("principal_")).alias("habit"),
                pl.concat_str([pl.col(one).cast(pl.String).fill_null("") for one in habit.value], separator=" ").alias(
                    "value"
                ),
                *("days", "first_day", "last_day", "weight"),
            )
            for name, habit in self._habits().items()
        ]
        return pl.concat(parts).sort("habit", "days", "value", descending=[False, True, False]).to_pandas()

    def hours(self, account: str, *whose: str) -> pd.DataFrame:
        """On how many of the days that are remembered there was anything in each hour: a row a weekday, a column an
        hour (UTC). Of one who acts, or of all in the account together."""
        (rhythm,) = self._activity.rhythms
        named = dict(zip(self.actors, (account, *whose), strict=False))
        rows = self._tables[rhythm].filter(pl.all_horizontal(pl.col(name) == value for name, value in named.items()))
        weekdays, active = active_hours(rows["masks"])
        seen = np.zeros((7, 24), np.int64)
        np.add.at(seen, weekdays, active)
        hours = pl.DataFrame(seen, schema=[f"{hour:02}" for hour in range(24)])
        return hours.to_pandas().set_axis(_DAYS)

    def _owners(self) -> pl.DataFrame:
        return self._tables["of " + "+".join(self.actors)]

    def _habits(self) -> dict[str, Habit]:
        """Those of who acts, but for what only helps to judge others."""
        habits = dict(self._activity.habits)
        return {
            name: habit
            for name, habit in habits.items()
            if list(habit.of) == self.actors and not name.endswith("_at_work")
        }


def _of_service(data: Path) -> Mapping[str, pa.Table]:
    """The tables of the newest checkpoint in the data folder of a service."""
    if not (data / "checkpoints").is_dir():
        raise UsageError(f"{data}: nothing is known of what is usual there")
    url = checkpoints_url(data)
    with ServiceStore.open(store_url(data, None), migrate=False) as service:
        kept = service.checkpoints.sound()
    if not kept:
        raise UsageError(f"{data}: the service has kept no state yet")
    manifest = read_manifest(Place(url), kept[0])
    return Baseline.of(Baseline(read_part(url, manifest, part.name)) for part in manifest.parts).tables
