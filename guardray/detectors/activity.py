"""What detectors of behaviour look at: rows that are alike, counted by period, beside what was usual on earlier days.

An `Activity` collapses rows: those that agree in its `group` columns within one period become one, with measures and
its latest row. Detectors that look at the same rows share one activity, and so its state.

Habits and levels are learned from whole days (UTC), and a day is judged by the days before it alone. So a finding does
not depend on the order in which the rows of a day came, nor on how the input was cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

import polars as pl

from guardray.detectors.definition import text_of
from guardray.schema import EventSchema
from guardray.stats.measures import Count, Max, Min, Sum

DAY = timedelta(days=1)

LAST_DAY = "last_day"
"""In what was learned, the column of the latest day on which it was seen."""

HALF_LIFE = timedelta(days=28)
"""After which a day counts half in the weight of a habit, by event time: four weeks have each weekday four times, and a
job that has moved is rare at its old place after a quarter."""

MOST_ROWS = 10_000
"""Rows of one owner and period, unless an activity says otherwise. Who works makes some tens or hundreds; whoever makes
half a million, by connecting to all the world, must not fill the memory of those who watch."""


_LEARN_NOTHING = ("crowds", "room", "most", "latest")
"""Parts of an activity that what was learned does not depend on."""


@dataclass(frozen=True)
class DistinctTexts:
    """How many different texts were seen; exact up to `most`, from there on estimated within some 6 %. Int64.

    Source: Bar-Yossef et al. 2002, Counting distinct elements in a data stream (the k least hashes).
    """

    column: str
    most: int = 256


@dataclass(frozen=True)
class Sample:
    """Some of the different texts that were seen: the first `most` of them in alphabetical order. List of String."""

    column: str
    most: int = 5


@dataclass(frozen=True)
class Hours:
    """The hours of the day (UTC) in which there were events: bit h of a UInt32 for the hour that begins at h."""


ActivityMeasure = Count | Sum | Min | Max | DistinctTexts | Sample | Hours


@dataclass(frozen=True)
class Habit:
    """What somebody is known to do.

    A detector's `crossed` finds of a habit `name`: `name_days`, on how many earlier days this value was seen (0: never;
    null where a column of the value is), and `name_history`, on how many earlier days anything of these was seen.
    Beside them `name_weight`, the earlier days of each of `Activity.actors` on which it did this, and `name_total`, all
    their earlier days, both decayed (`HALF_LIFE`): their quotient is how likely one of them does it on a day. And
    `name_age`, days since the value was first seen (null: never).

    Attributes:
        of: columns that name whose habit it is.
        value: columns that name what is done.
        where: the rows whose values are learned, by all that `crossed` finds; None: all. State stays small where few
            are ever asked about, and what should not become known by some rows does not.
    """

    of: tuple[str, ...]
    value: tuple[str, ...]
    where: pl.Expr | None = None


@dataclass(frozen=True)
class Level:
    """How much is usual a day.

    A detector's `crossed` finds of a level `name`: `name_today`, the sum over the rows of the day with these columns;
    `name_median`, `name_mad` (median absolute deviation) and `name_max` of the earlier days with any; `name_history`,
    how many such days there are (0: none, and the other three are null); `name_max_before`, the maximum of all but the
    latest two of them (null: there are no more); and `name_z`, how many robust deviations the logarithm of today's is
    above that of earlier days (null: none are known).

    Attributes:
        of: columns that name whose level it is.
        measure: the measure of the activity that is summed, a `Count` or `Sum`; or an expression that gives the whole
            number of a day over its rows, among which those that stand for what there was no room for have nulls.
        where: the rows that are learned; None: all. Today's sum is over all in any case.
    """

    of: tuple[str, ...]
    measure: str | pl.Expr
    where: pl.Expr | None = None

    @property
    def amount(self) -> pl.Expr:
        """A day's number, over its rows."""
        return pl.col(self.measure).sum() if isinstance(self.measure, str) else self.measure


@dataclass(frozen=True)
class Rhythm:
    """At which hours of the week somebody is active.

    A detector's `crossed` finds of a rhythm `name`: `name_bits`, how odd the most usual of a row's hours is: minus the
    binary logarithm of how likely such a day has anything about that hour (null: no earlier day is known); and
    `name_history`, how many earlier days are.

    Attributes:
        of: columns that name whose rhythm it is.
        measure: the measure of the activity that tells the hours: `Hours`.
    """

    of: tuple[str, ...]
    measure: str


@dataclass(frozen=True)
class Crowd:
    """How many others do the same on the day.

    A detector's `crossed` finds of a crowd `name`: `name_others`, how many other actors of the same kind do on this day
    what the row does (0 where that is not told); and `name_around`, how many others of that kind there are on this day.

    Attributes:
        of: columns that name who may be in one crowd.
        value: columns that name what is done.
        kind: an expression over rows: only actors of one kind are compared.
        where: an expression over all rows of one actor with one value, by all that `crossed` finds of habits: whether
            the actor counts.
    """

    of: tuple[str, ...]
    value: tuple[str, ...]
    kind: pl.Expr
    where: pl.Expr


@dataclass(frozen=True, kw_only=True)
class Activity:
    """Rows that are alike, by period.

    Attributes:
        name: unique; names its state.
        schema: the rows that it reads, enriched.
        where: the rows that are counted. Null counts as false. Neither trusted nor late rows are.
        derived: columns that are computed, or replaced, before rows are grouped.
        owner: columns whose values keep state together on one shard; a part of `group`.
        group: columns in which rows are alike, text or numbers; null is a value like others.
        period: length of the tumbling periods, by event time; one day where anything is learned.
        measures: name to summary.
        labels: further columns, computed when a period is looked at, from the group and the latest row.
        habits: name to habit, over columns of `group` that contain `owner`, and labels.
        levels: name to level, likewise.
        rhythms: name to rhythm, likewise.
        crowds: name to crowd, likewise.
        actors: columns that name who acts, where several do for one `owner`; empty: those of `owner`.
        room: columns of `group`, `owner` among them, whose values have room for `most` rows a period each, so that none
            fills that of others; empty: those of `owner`.
        most: of more rows those are kept whose group has the least hashes, which is the same choice however the events
            are cut, and on every day. The others become one row that levels count, and that no detector is shown.
        latest: columns of the latest event that detectors read, beside `group`; None: all of them, at some hundreds of
            bytes a row.

    Raises:
        ValueError: the parts do not fit together.
    """

    name: str
    schema: EventSchema
    where: pl.Expr
    derived: Mapping[str, pl.Expr] = ()  # type: ignore[assignment]
    owner: tuple[str, ...]
    group: tuple[str, ...]
    period: timedelta = DAY
    measures: Mapping[str, ActivityMeasure]
    labels: Mapping[str, pl.Expr] = ()  # type: ignore[assignment]
    habits: Mapping[str, Habit] = ()  # type: ignore[assignment]
    levels: Mapping[str, Level] = ()  # type: ignore[assignment]
    rhythms: Mapping[str, Rhythm] = ()  # type: ignore[assignment]
    crowds: Mapping[str, Crowd] = ()  # type: ignore[assignment]
    actors: tuple[str, ...] = ()
    room: tuple[str, ...] = ()
    most: int = MOST_ROWS
    latest: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.learns and self.period != DAY:
            raise ValueError(f"{self.name}: what is usual is learned by days, not by {self.period}")
        for name in ("room", "actors"):
            if not getattr(self, name):
                object.__setattr__(self, name, self.owner)
        learned: dict[str, Habit | Level | Rhythm | Crowd] = {
            **dict(self.habits),
            **dict(self.levels),
            **dict(self.rhythms),
            **dict(self.crowds),
        }
        parts: dict[str, Habit | Level | Rhythm | Crowd] = {
            name: Habit(getattr(self, name), ()) for name in ("owner", "room", "actors")
        }
        for name, one in {**parts, **learned}.items():
            columns = {*one.of, *(one.value if isinstance(one, Habit | Crowd) else ())}
            known = {*self.group, *(self.labels if name in learned else ())}
            if not set(self.owner) <= set(one.of) or not columns <= known:
                raise ValueError(f"{self.name}: {name} must name the owner, and columns of the group only")

    @property
    def learns(self) -> bool:
        """Whether it remembers anything of earlier days."""
        return bool(self.habits or self.levels or self.rhythms)

    def is_like(self, other: Activity) -> bool:
        """Whether it is the same activity: the very one, or one that came another way from another process."""
        return self is other or text_of(self) == text_of(other)

    @property
    def definition(self) -> str:
        """Digest of all that decides what is learned: 32 hexadecimal digits, the same in any process.

        How much room there is and what is shown beside, or counted within a day, may change without making what was
        learned wrong.
        """
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        decisive = {name: part for name, part in parts.items() if name not in _LEARN_NOTHING}
        return hashlib.blake2b(text_of(decisive).encode(), digest_size=16).hexdigest()
