"""What is usual: on how many days an entity did something, and how much of it a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from guardray.detectors.activity import LAST_DAY, Activity, Habit, Level
from guardray.shards.activity_rows import IS_REST, START

KEPT = timedelta(days=90)
"""What was not seen for so long is forgotten: what comes back after a quarter is news, and state stays bounded."""

LEVEL_DAYS = 30
"""Days with any activity that a level is taken from: enough for a median that one odd day does not move."""

USUAL_KEPT = 15
"""Values of a habit that a finding can name: GuardDuty's lists of usual behaviour are about as long."""

_DAYS, _TOTALS = "days", "totals"


class Habits:
    """Learned days of one activity, as frames: one row for each value of a habit, owner of a habit, and level."""

    def __init__(self, activity: Activity, columns: Mapping[str, pl.DataType]) -> None:
        self._habits, self._levels = dict(activity.habits), dict(activity.levels)
        self.tables = {
            **{
                name: _table((*one.of, *one.value), columns, {_DAYS: pl.UInt32()}) for name, one in self._habits.items()
            },
            **{owner_table(of): _table(of, columns, {_DAYS: pl.UInt32()}) for of in self._owners()},
            **{
                name: _table(one.of, columns, {_DAYS: pl.UInt32(), _TOTALS: pl.List(pl.Int64)})
                for name, one in self._levels.items()
            },
        }

    def _owners(self) -> list[tuple[str, ...]]:
        """Whose habits there are, each once: habits of the same share a history."""
        return list(dict.fromkeys(habit.of for habit in self._habits.values()))

    def attach(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Adds what `Habit` and `Level` promise to rows of one day, by the days learned so far.

        Nothing is forgotten by this, since an earlier day may be asked for later where this one is still open.
        """
        tables = self._remembered(rows)
        for name, habit in self._habits.items():
            rows = _with_habit(rows, name, habit, tables)
        for name, level in self._levels.items():
            rows = _with_level(rows, name, level, tables)
        return rows

    def _remembered(self, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """The tables without what is too old for the day of the rows."""
        if rows.is_empty():
            return self.tables
        since = rows[START][0].date() - KEPT
        return {name: table.filter(pl.col(LAST_DAY) >= since) for name, table in self.tables.items()}

    def usual(self, rows: pl.DataFrame) -> list[dict[str, list[tuple[tuple[Any, ...], int]]]]:
        """What is usual for the owner of each row: by habit, values with their days, most often seen first."""
        tables = self._remembered(rows)
        by_habit = {name: _most_often(tables[name], habit, rows) for name, habit in self._habits.items()}
        owners = {habit.of: rows.select(habit.of).rows() for habit in self._habits.values()}
        return [
            {name: by_habit[name].get(owners[habit.of][at], []) for name, habit in self._habits.items()}
            for at in range(rows.height)
        ]

    def learn(self, rows: pl.DataFrame) -> None:
        """Takes in all rows of a day, as `attach` gives them, after all earlier days; forgets what is too old for it.

        What was learned already up to that day or beyond it is not learned again.
        """
        self.tables = self._remembered(rows)
        day = rows[START][0].date()
        told = rows.filter(~pl.col(IS_REST))
        for name, habit in self._habits.items():
            known = told.filter(pl.all_horizontal(pl.col(column).is_not_null() for column in habit.value))
            self._learn_days(name, _taught(habit, known).select(*habit.of, *habit.value).unique(), day)
        for of in self._owners():
            self._learn_days(owner_table(of), told.select(of).unique(), day)
        for name, level in self._levels.items():
            self._learn_level(name, level, _taught(level, rows), day)

    def _learn_days(self, name: str, seen: pl.DataFrame, day: date) -> None:
        new = self._not_learned(name, seen, day)
        today = new.with_columns(pl.lit(1, pl.UInt32).alias(_DAYS), pl.lit(day).alias(LAST_DAY))
        both = pl.concat([self.tables[name], today])
        self.tables[name] = both.group_by(seen.columns).agg(pl.col(_DAYS).sum(), pl.col(LAST_DAY).max())

    def _not_learned(self, name: str, rows: pl.DataFrame, day: date) -> pl.DataFrame:
        """The rows whose key was not seen on that day or later."""
        table = self.tables[name]
        key = [column for column in table.columns if column not in (_DAYS, LAST_DAY, _TOTALS)]
        return rows.join(table.filter(pl.col(LAST_DAY) >= day), on=key, how="anti", nulls_equal=True)

    def _learn_level(self, name: str, level: Level, rows: pl.DataFrame, day: date) -> None:
        today = (
            self._not_learned(name, rows, day)
            .group_by(level.of)
            .agg(
                pl.lit(1, pl.UInt32).alias(_DAYS),
                pl.lit(day).alias(LAST_DAY),
                pl.concat_list(pl.col(level.measure).sum()).first().alias(_TOTALS),
            )
        )
        table = self.tables[name]
        both = pl.concat([table, today.select(table.columns)])
        merged = both.group_by(level.of, maintain_order=True).agg(
            pl.col(_DAYS).sum(),
            pl.col(LAST_DAY).max(),
            pl.col(_TOTALS).list.explode(keep_nulls=False, empty_as_null=False).tail(LEVEL_DAYS),
        )
        self.tables[name] = merged.select(table.columns)


def _with_habit(rows: pl.DataFrame, name: str, habit: Habit, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    known = pl.all_horizontal(pl.col(column).is_not_null() for column in habit.value)
    seen = _looked_up(rows, tables[name], (*habit.of, *habit.value), _DAYS)
    history = _looked_up(rows, tables[owner_table(habit.of)], habit.of, _DAYS)
    return rows.with_columns(
        seen.fill_null(0).alias(f"{name}_days"), history.fill_null(0).alias(f"{name}_history")
    ).with_columns(pl.when(known).then(f"{name}_days").alias(f"{name}_days"))


def _with_level(rows: pl.DataFrame, name: str, level: Level, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    totals = _looked_up(rows, tables[name], level.of, _TOTALS)
    median = totals.list.median()
    deviations = pl.DataFrame({"totals": totals, "median": median}).select(
        (pl.col("totals") - pl.col("median")).list.eval(pl.element().abs()).list.median()
    )
    return rows.with_columns(
        pl.col(level.measure).sum().over(level.of).alias(f"{name}_today"),
        median.alias(f"{name}_median"),
        deviations.to_series().alias(f"{name}_mad"),
        totals.list.max().alias(f"{name}_max"),
        totals.list.len().fill_null(0).alias(f"{name}_history"),
    )


def _most_often(
    table: pl.DataFrame, habit: Habit, rows: pl.DataFrame
) -> dict[tuple[Any, ...], list[tuple[tuple[Any, ...], int]]]:
    """The values seen most often, by owner, of those that the rows are of."""
    of_rows = table.join(rows.select(habit.of).unique(), on=habit.of, how="semi", nulls_equal=True)
    order = of_rows.sort(_DAYS, LAST_DAY, *habit.value, descending=[True, True, *[False] * len(habit.value)])
    found: dict[tuple[Any, ...], list[tuple[tuple[Any, ...], int]]] = {}
    kept = order.group_by(habit.of, maintain_order=True).head(USUAL_KEPT)
    for owner, value, days in zip(
        kept.select(habit.of).rows(), kept.select(habit.value).rows(), kept[_DAYS], strict=True
    ):
        found.setdefault(owner, []).append((value, days))
    return found


def _taught(one: Habit | Level, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that a habit or level is learned from."""
    return rows if one.where is None else rows.filter(one.where)


def owner_table(of: tuple[str, ...]) -> str:
    """The name of the table that holds the history of such owners."""
    return "of " + "+".join(of)


def _table(key: tuple[str, ...], columns: Mapping[str, pl.DataType], values: dict[str, pl.DataType]) -> pl.DataFrame:
    days, *rest = values.items()
    return pl.DataFrame(
        schema={**{name: columns[name] for name in key}, **dict([days]), LAST_DAY: pl.Date(), **dict(rest)}
    )


def _looked_up(rows: pl.DataFrame, table: pl.DataFrame, key: tuple[str, ...], value: str) -> pl.Series:
    """The value of each row's key, null where it has none."""
    found = rows.select(key).join(table, on=key, how="left", nulls_equal=True, maintain_order="left")
    return found[value]
