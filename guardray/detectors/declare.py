"""How a detector is declared: metadata, what it looks at, what it says, and the events that prove it.

Four kinds, by what they must remember:

- `RuleDetector` remembers nothing: an expression over one row.
- `ChangeDetector` remembers the last known configuration of a key, and judges changes in the order of their time.
- `WindowDetector` remembers summaries of a key over a span of event time, and fires where they cross a threshold.
- `ActivityDetector` remembers what an entity does by period, and what was usual for it on the days before.

And one that is a rule of somebody's own, written in SQL: `QueryDetector`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import polars as pl

from guardray.detectors.activity import Activity
from guardray.detectors.features import FeatureSpec
from guardray.findings.details import Details
from guardray.findings.resources import Resource
from guardray.intel.categories import Category
from guardray.intel.content import ValueKind
from guardray.inventory import Inventory
from guardray.schema import EventSchema
from guardray.stats.measures import Count, Measure
from guardray.types import AccountId, ResourceRole, Row

Source = Literal["cloudtrail-management", "cloudtrail-s3", "vpc-flow", "dns"]
Method = Literal["rule", "intel", "behaviour"]
Learning = Literal["none", "before", "after"]
Mode = Literal["LIVE", "DRY_RUN"]

EXAMPLES_BEGIN = datetime(2026, 1, 12, 10, 0, tzinfo=UTC)
"""When the first row of an example happened unless it has a `time`; each further row is a second later."""


@dataclass(frozen=True)
class Example:
    """Rows that a detector must (`fires`) or must not (`quiet`) raise a finding for."""

    name: str
    rows: tuple[Mapping[str, Any], ...]
    fires: bool
    indicators: Mapping[str, Category] = ()  # type: ignore[assignment]  # address or domain: its category
    severity: float | None = None
    instances: Mapping[str, Mapping[str, str]] = ()  # type: ignore[assignment]  # instance in the inventory: its tags
    places: Mapping[str, tuple[str, int]] = ()  # type: ignore[assignment]  # address: its country and network
    owners: Mapping[str, str] = ()  # type: ignore[assignment]  # public address in the inventory: its account


def fires(
    name: str,
    *rows: Mapping[str, Any],
    indicators: Mapping[str, Category] | None = None,
    severity: float | None = None,
    instances: Mapping[str, Mapping[str, str]] | None = None,
    places: Mapping[str, tuple[str, int]] | None = None,
    owners: Mapping[str, str] | None = None,
) -> Example:
    """These rows, in this order, give at least one finding (of this severity, where it is given)."""
    return Example(name, rows, True, indicators or {}, severity, instances or {}, places or {}, owners or {})


def quiet(
    name: str,
    *rows: Mapping[str, Any],
    indicators: Mapping[str, Category] | None = None,
    instances: Mapping[str, Mapping[str, str]] | None = None,
    places: Mapping[str, tuple[str, int]] | None = None,
    owners: Mapping[str, str] | None = None,
) -> Example:
    """These rows give no finding."""
    return Example(name, rows, False, indicators or {}, None, instances or {}, places or {}, owners or {})


def on_earlier_days(days: int, *rows: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """These rows on each of so many days before the example begins, for what must be learned first."""
    return tuple(
        {**row, "time": EXAMPLES_BEGIN - timedelta(days=back, seconds=-second)}
        for back in range(days, 0, -1)
        for second, row in enumerate(rows)
    )


@dataclass(frozen=True, kw_only=True)
class Detector:
    """What every kind has.

    Attributes:
        finding_type: GuardDuty's name, `ThreatPurpose:ResourceTypeAffected/ThreatFamilyName[.Mechanism][!Artifact]`.
        severity: the finding's severity unless `details` gives another.
        source: the log it reads.
        schema: the normalised rows it reads.
        role: the resource's role in the finding unless `details` gives another.
        entity: columns whose values, with account, Region and type, make two sightings one finding.
        details: a row to what the finding says of it.
        examples: proof; at least one that fires and one that is quiet.
        tunables: the numbers that decide, by name; each is explained where it is defined.
        concerns: whether a finding is about the resource at all, asked once all that the inventory knows of it is in
            place; None: about every one.
        settle: asked last, with the details, the inventory, the account and the time: the details as they are then, or
            None where it is no finding after all; None: the details as they were.
        mode: in `DRY_RUN` it runs and is counted, and gives no finding.
        revision: tells versions of a rule of somebody's own apart, so that a store counts anew what a new one finds.
    """

    finding_type: str
    severity: float
    source: Source
    schema: EventSchema
    role: ResourceRole
    entity: tuple[str, ...]
    details: Callable[[Row], Details]
    examples: tuple[Example, ...]
    tunables: Mapping[str, float] = ()  # type: ignore[assignment]
    concerns: Callable[[Resource], bool] | None = None
    settle: Callable[[Details, Inventory, AccountId, datetime], Details | None] | None = None
    mode: Mode = "LIVE"
    revision: str = ""

    @property
    def method(self) -> Method:
        return "rule"

    @property
    def wanted_lists(self) -> tuple[tuple[ValueKind, Category], ...]:
        """The lists that it looks at; any one of them is enough."""
        return ()


@dataclass(frozen=True, kw_only=True)
class RuleDetector(Detector):
    """Fires for each row where the expression is true. Null counts as false."""

    where: pl.Expr


@dataclass(frozen=True, kw_only=True)
class IndicatorDetector(RuleDetector):
    """A rule that also wants a value of one of the `indicator` columns on a threat list of one of the categories.

    `details` finds the matching entries in `row["indicators"]`: a tuple of `guardray.intel.store.Indicator`.
    """

    indicator: tuple[str, ...]
    categories: tuple[Category, ...]

    @property
    def method(self) -> Method:
        return "intel"

    @property
    def wanted_lists(self) -> tuple[tuple[ValueKind, Category], ...]:
        kinds: dict[ValueKind, None] = {_kind_of(column): None for column in self.indicator}
        return tuple((kind, category) for kind in kinds for category in self.categories)


@dataclass(frozen=True)
class Query:
    """A condition in SQL over one row.

    Attributes:
        name: tells the conditions of a detector apart.
        condition: a Boolean expression in DuckDB's SQL over the columns of the enriched schema and the functions of
            `guardray.custom.sql`. Null counts as false.
        operations: API operations in lower case; other calls are not looked at, which is what makes a rule cheap.
            Empty: every row is.
    """

    name: str
    condition: str
    operations: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class QueryDetector(Detector):
    """Fires for each row where one of the conditions is true.

    `details` and `entity` find the name of the first one that is in the column `rule`.
    """

    queries: tuple[Query, ...]


@dataclass(frozen=True)
class Judgement:
    """A change judged. `facts` is put into the row for `details`, under `facts`."""

    state: Any  # the configuration after the change, as JSON can hold it; None forgets the key
    fires: bool = False
    facts: Mapping[str, Any] = ()  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class ChangeDetector(Detector):
    """Judges configuration changes against the last known configuration of their key, in order of event time.

    Attributes:
        where: the rows that tell of a configuration: changes, and reads that show it.
        key: columns that name what is configured, such as the account or the bucket.
        judge: the row and the last known configuration (None: unknown; the judge's own to change) to the judgement.
        is_behaviour: what is known of a key is what somebody did last, and no configuration.
    """

    where: pl.Expr
    key: tuple[str, ...]
    judge: Callable[[Row, Any], Judgement]
    is_behaviour: bool = False

    @property
    def method(self) -> Method:
        return "behaviour" if self.is_behaviour else "rule"


@dataclass(frozen=True, kw_only=True)
class WindowDetector(Detector):
    """Fires for each key and window whose measures cross the threshold.

    Keys are numbers, so that they live in columns: addresses as IPv4 numbers, ports, protocols. The interface that
    saw the traffic is always the first part of a key. Measures only grow inside a window, so a crossing holds.

    Attributes:
        where: the rows that are counted. Null counts as false.
        key: numeric columns of the enriched schema.
        window: length of the tumbling windows, by event time; `hop` makes them slide by that much instead.
        measures: name to summary.
        crossed: an expression over one row a window: `key` columns, measures, `is_actor` (the interface owns the
            source address; null when it cannot be told), `window_start`, `window_end`, `first_seen`, `last_seen`.
            `details` gets the same columns and what is known of the interface: `interface_uid`, `instance_uid`,
            `vpc_uid`, `subnet_uid`.
        categories: of the lists of addresses that `where` looks at, if it does.
        indicator: the columns of a window that hold addresses on them; `details` finds the entries that name these in
            `row["indicators"]`.
    """

    where: pl.Expr
    key: tuple[str, ...]
    window: timedelta
    hop: timedelta | None = None
    measures: Mapping[str, Measure]
    crossed: pl.Expr
    indicator: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()

    @property
    def measured_columns(self) -> tuple[str, ...]:
        """The columns that the measures read."""
        return tuple(sorted({m.column for m in self.measures.values() if not isinstance(m, Count)}))

    @property
    def method(self) -> Method:
        return "intel" if self.categories else "rule"

    @property
    def wanted_lists(self) -> tuple[tuple[ValueKind, Category], ...]:
        return tuple(("address", category) for category in self.categories)


@dataclass(frozen=True, kw_only=True)
class ActivityDetector(Detector):
    """Fires for each row of an activity that crosses.

    Attributes:
        activity: what it looks at; detectors may share one.
        crossed: an expression over rows: the activity's `group`, its measures, what `Habit` and `Level`
            say, `window_start`, `first_seen`, `last_seen`, and all columns of the latest of the rows that the
            activity's row stands for. What looks at several rows does so `.over` columns that have the owner and
            `window_start` among them: which others are in the frame is chance. `details` gets the same columns, and in
            `row["usual"]` what was seen most often on earlier days: by habit, values (a tuple each) with their days.
        together: columns of the group. Crossing rows of a period that agree in them are one occurrence: `details` gets
            the one with the greatest `score`, and the others, best first, as mappings in `row["others"]`.
        score: how much a row deserves to be the one that is told of; of equal ones it is the latest.
        most: of more occurrences in a period, of one that has room of its own in the activity, those with the greatest
            score are told of; None: all are.
        learning: `before`: silent until enough was learned; `after`: fires at once, then learns what is steady.
        categories: of the lists of addresses that `crossed` looks at, if it does.
        spec: what models see of the activity's rows. With it, `crossed` is asked about the days of those only who have
            a candidate of it, so that other rows are looked at `.over` all of the spec's `whose` and `window_start`. It
            finds `anomaly`: a row's score over the account's threshold, null where no model knows the account or
            nothing of the row is new; and `contributions`: what made it, as a list of `feature` and `share`, the
            largest first.
    """

    activity: Activity
    crossed: pl.Expr
    together: tuple[str, ...] = ()
    score: pl.Expr = pl.lit(0)  # noqa: RUF009 - an expression is not changed
    most: int | None = None
    learning: Learning = "none"
    categories: tuple[Category, ...] = ()
    spec: FeatureSpec | None = None

    @property
    def method(self) -> Method:
        return "behaviour"

    @property
    def wanted_lists(self) -> tuple[tuple[ValueKind, Category], ...]:
        return tuple(("address", category) for category in self.categories)


def activities_of(detectors: Iterable[Detector]) -> tuple[Activity, ...]:
    """The activities that these detectors look at, each once.

    Raises:
        ValueError: two that differ have one name.
    """
    found: dict[str, Activity] = {}
    for detector in detectors:
        if isinstance(detector, ActivityDetector):
            activity = detector.activity
            if not found.setdefault(activity.name, activity).is_like(activity):
                raise ValueError(f"two different activities are named {activity.name!r}")
    return tuple(found.values())


def _kind_of(column: str) -> ValueKind:
    """What a column is looked up as."""
    return "domain" if column == "query_hostname" else "address"
