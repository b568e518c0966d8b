"""What is usual: on how many days an entity did something, how much of it a day, and at which hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from guardray.detectors.activity import LAST_DAY, Activity, Habit, Level
from guardray.shards.activity_rows import IS_REST, START
from guardray.shards.crowds import with_crowd
from guardray.shards.learned import DAYS, IS_FLAGGED, KEPT, ages_in_days, decayed, looked_up, not_learned, of_rows
from guardray.shards.levels import learn_level, level_table, with_level
from guardray.shards.rhythms import learn_rhythm, rhythm_table, with_rhythm

USUAL_KEPT = 15
"""Values of a habit that a finding can name: GuardDuty's lists of usual behaviour are about as long."""

_FIRST_DAY, _WEIGHT, _TODAY = "first_day", "weight", "_today"
_SEEN = {DAYS: pl.UInt32(), _FIRST_DAY: pl.Date(), LAST_DAY: pl.Date(), _WEIGHT: pl.Float32()}


class Habits:
    """Learned days of one activity, as frames: one row for each value of a habit, owner of one, level and rhythm.

    What is merged is merged by its key: days and weights add up, the weights as they are on the later day.
    """

    def __init__(self, activity: Activity, columns: Mapping[str, pl.DataType]) -> None:
        self._habits, self._levels = dict(activity.habits), dict(activity.levels)
        self._rhythms, self._crowds = dict(activity.rhythms), dict(activity.crowds)
        self._actors = activity.actors
        self.tables = {
            **{name: _table((*one.of, *one.value), columns) for name, one in self._habits.items()},
            **{owner_table(of): _table(of, columns) for of in self._owners()},
            **{name: level_table(one, columns) for name, one in self._levels.items()},
            **{name: rhythm_table(one, columns) for name, one in self._rhythms.items()},
        }

    def _owners(self) -> list[tuple[str, ...]]:
        """Whose habits there are, each once: habits of the same share a history."""
        return list(dict.fromkeys(habit.of for habit in self._habits.values()))

    def attach(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Adds what `Habit`, `Level`, `Rhythm` and `Crowd` promise to rows of one day, by the days learned so far.

        Nothing is forgotten by this, since an earlier day may be asked for later where this one is still open.
        """
        tables = self._remembered(rows)
        day = date.min if rows.is_empty() else _day(rows)
        owners = {of: _owners_history(rows, tables[owner_table(of)], of, day) for of in self._owners()}
        columns = [
            column
            for name, habit in self._habits.items()
            for column in _with_habit(rows, name, habit, tables[name], owners[habit.of], day)
        ]
        for name, level in self._levels.items():
            columns += with_level(rows, name, level, tables[name])
        for name, rhythm in self._rhythms.items():
            columns += with_rhythm(rows, name, rhythm, tables[name], day)
        attached = rows.with_columns(columns)
        crowds = [with_crowd(attached, name, crowd, self._actors) for name, crowd in self._crowds.items()]
        return attached.with_columns(column for of in crowds for column in of)

    def _remembered(self, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """The tables without what is too old for the day of the rows."""
        if rows.is_empty():
            return self.tables
        since = _day(rows) - KEPT
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

        Args:
            rows: with `IS_FLAGGED`.
        """
        self.tables = self._remembered(rows)
        day = _day(rows)
        told = rows.filter(~pl.col(IS_REST))
        for name, habit in self._habits.items():
            known = told.drop_nulls(habit.value)
            self._learn_days(name, (*habit.of, *habit.value), habit.of, _taught(habit, known), day)
        for of in self._owners():
            self._learn_days(owner_table(of), of, of, told, day)
        for name, level in self._levels.items():
            self.tables[name] = learn_level(self.tables[name], level, _taught(level, rows), day)
        for name, rhythm in self._rhythms.items():
            self.tables[name] = learn_rhythm(self.tables[name], rhythm, told, day)

    def _learn_days(self, name: str, key: tuple[str, ...], of: tuple[str, ...], rows: pl.DataFrame, day: date) -> None:
        if rows.is_empty():
            return
        table = self.tables[name]
        today = (
            not_learned(rows, table, key, day)
            .group_by(key)
            .agg(
                pl.lit(1, pl.UInt32).alias(DAYS),
                pl.lit(day).alias(_FIRST_DAY),
                pl.lit(day).alias(LAST_DAY),
                self._actors_of(of).cast(pl.Float32).alias(_WEIGHT),
            )
        )
        if table.is_empty():
            self.tables[name] = today.select(table.columns)
            return
        as_of_today = table.with_columns(decayed(table[_WEIGHT], table[LAST_DAY], day).alias(_TODAY))
        both = pl.concat(
            [as_of_today, today.with_columns(pl.col(_WEIGHT).cast(pl.Float64).alias(_TODAY))], how="diagonal"
        )
        merged = both.group_by(key).agg(
            pl.col(DAYS).sum(),
            pl.col(_FIRST_DAY).min(),
            pl.col(LAST_DAY).max(),
            pl.when(pl.len() > 1)
            .then(pl.col(_TODAY).sum())
            .otherwise(pl.col(_WEIGHT).first())
            .cast(pl.Float32)
            .alias(_WEIGHT),
        )
        self.tables[name] = merged.select(table.columns)

    def _actors_of(self, of: tuple[str, ...]) -> pl.Expr:
        """How many of the actors did something today that was not flagged."""
        beyond = [name for name in self._actors if name not in of]
        if not beyond:
            return (~pl.col(IS_FLAGGED)).any()
        who = pl.col(beyond[0]) if len(beyond) == 1 else pl.struct(beyond)
        return who.filter(~pl.col(IS_FLAGGED)).n_unique()


def _with_habit(
    rows: pl.DataFrame, name: str, habit: Habit, table: pl.DataFrame, owner: pl.DataFrame, day: date
) -> list[pl.Series]:
    seen = looked_up(rows, table, (*habit.of, *habit.value), list(_SEEN))
    values = {
        "days": seen[DAYS].fill_null(0),
        "weight": decayed(seen[_WEIGHT], seen[LAST_DAY], day),
        "age": _age(seen[_FIRST_DAY], day),
    }
    if any(rows[column].null_count() for column in habit.value):
        told = rows.select(pl.all_horizontal(pl.col(column).is_not_null() for column in habit.value)).to_series()
        nothing = pl.Series([None], dtype=pl.Null)
        values = {what: value.zip_with(told, nothing.cast(value.dtype)) for what, value in values.items()}
    return [
        *(value.alias(f"{name}_{what}") for what, value in values.items()),
        owner["history"].alias(f"{name}_history"),
        owner["total"].alias(f"{name}_total"),
    ]


def _owners_history(rows: pl.DataFrame, table: pl.DataFrame, of: tuple[str, ...], day: date) -> pl.DataFrame:
    """On how many days anything is known of the owner of each row, and what they weigh: `history`, `total`, [n]."""
    found = looked_up(rows, table, of, list(_SEEN))
    total = decayed(found[_WEIGHT], found[LAST_DAY], day)
    return pl.DataFrame({"history": found[DAYS].fill_null(0), "total": total})


def _age(first: pl.Series, day: date) -> pl.Series:
    """Days since the first one: Int32 [n], nulls where there is none."""
    ages = pl.Series(ages_in_days(first.fill_null(day), day))
    return ages.zip_with(first.is_not_null(), pl.Series([None], dtype=pl.Int32))


def _most_often(
    table: pl.DataFrame, habit: Habit, rows: pl.DataFrame
) -> dict[tuple[Any, ...], list[tuple[tuple[Any, ...], int]]]:
    """The values seen most often, by owner, of those that the rows are of."""
    values = of_rows(rows, table, habit.of)
    order = values.sort(DAYS, LAST_DAY, *habit.value, descending=[True, True, *[False] * len(habit.value)])
    found: dict[tuple[Any, ...], list[tuple[tuple[Any, ...], int]]] = {}
    kept = order.group_by(habit.of, maintain_order=True).head(USUAL_KEPT)
    for owner, value, days in zip(
        kept.select(habit.of).rows(), kept.select(habit.value).rows(), kept[DAYS], strict=True
    ):
        found.setdefault(owner, []).append((value, days))
    return found


def _taught(one: Habit | Level, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that a habit or level is learned from."""
    return rows if one.where is None else rows.filter(one.where)


def owner_table(of: tuple[str, ...]) -> str:
    """The name of the table that holds the history of such owners."""
    return "of " + "+".join(of)


def _table(key: tuple[str, ...], columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(schema={**{name: columns[name] for name in key}, **_SEEN})


def _day(rows: pl.DataFrame) -> date:
    day: date = rows[START][0].date()
    return day
