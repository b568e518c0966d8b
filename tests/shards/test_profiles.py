"""Profiles: weights that decay, hours of the week, how far a day is from others, and what is flagged is not learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.context.enrich import enrich
from guardray.dataflow.digests import digests
from guardray.dataflow.event_time import END_OF_TIME
from guardray.detectors.activity import HALF_LIFE, Activity, Habit, Hours, Level, Rhythm
from guardray.intel.store import IndicatorStore
from guardray.schema import api_activity
from guardray.shards.activities import ActivityTable
from guardray.shards.activity_rows import merge, read, summarise
from guardray.stats.measures import Count
from guardray.testing import frame_of

DAY_ONE = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCOUNT = ("cloud_account_uid",)
WHO = (*ACCOUNT, "actor_user_name")

PROFILED = Activity(
    name="profiled calls",
    schema=api_activity.SCHEMA,
    where=pl.lit(True),
    owner=ACCOUNT,
    group=(*WHO, "api_operation"),
    measures={"calls": Count(), "hours": Hours()},
    labels={"initial": pl.col("actor_user_name").str.head(1)},
    habits={
        "api": Habit(WHO, ("api_operation",)),
        "peers_api": Habit((*ACCOUNT, "initial"), ("api_operation",)),
        "account_api": Habit(ACCOUNT, ("api_operation",)),
    },
    levels={
        "calls_a_day": Level(WHO, "calls"),
        "apis_a_day": Level(WHO, pl.col("api_operation").drop_nulls().n_unique()),
    },
    rhythms={"active": Rhythm(WHO, "hours")},
    actors=WHO,
)


def events(*rows: dict) -> pl.DataFrame:
    frame = frame_of(api_activity.SCHEMA, [{"event_hash": number, **row} for number, row in enumerate(rows)])
    enriched = enrich(frame, api_activity.SCHEMA, IndicatorStore())
    return enriched.with_columns(
        pl.Series("digest", digests(enriched, api_activity.SCHEMA)), pl.col("time").alias("last_seen")
    )


def call(user: str, operation: str, day: int = 0) -> dict:
    return {"actor_user_name": user, "api_operation": operation, "time": DAY_ONE + timedelta(days=day)}


def days_of(*rows: dict, flagged: pl.Expr | None = None, activity: Activity = PROFILED) -> list[pl.DataFrame]:
    """Each closed day; rows where `flagged` is true are told of."""
    table = ActivityTable(activity)
    table.add(summarise(activity, events(*rows)))
    days = []
    for day in table.close(END_OF_TIME):
        if flagged is not None:
            table.flag(day.select(flagged.fill_null(False)).to_series())
        days.append(day.sort("actor_user_name", "api_operation"))
    return days


def at(hour: int, day: int, user: str = "ada", operation: str = "GetObject") -> dict:
    return call(user, operation, day) | {"time": DAY_ONE.replace(hour=hour) + timedelta(days=day)}


def test_a_value_weighs_half_after_a_half_life():
    half_life = HALF_LIFE.days
    *_, last = days_of(call("ada", "Get", 0), call("ada", "Put", half_life))
    row = last.row(0, named=True)
    assert (row["api_weight"], row["api_days"]) == (0.0, 0)
    assert row["api_total"] == pytest.approx(0.5)
    *_, last = days_of(call("ada", "Get", 0), call("ada", "Get", half_life), call("ada", "Get", 2 * half_life))
    assert last["api_weight"][0] == pytest.approx(0.5 + 0.25)
    assert last["api_age"][0] == 2 * half_life


def test_a_weight_counts_each_day_of_each_of_those_who_act():
    rows = [call(user, "Get", day) for day in range(2) for user in ("ada", "ali", "bo")]
    last = days_of(*rows, call("ada", "Get", 2))[-1].row(0, named=True)
    fading = 2 ** (-1 / HALF_LIFE.days) + 2 ** (-2 / HALF_LIFE.days)
    assert last["api_weight"] == pytest.approx(fading, rel=1e-6)
    assert last["peers_api_weight"] == pytest.approx(2 * fading, rel=1e-6)  # ada and ali
    assert last["account_api_weight"] == pytest.approx(3 * fading, rel=1e-6)


def test_what_is_flagged_is_known_but_weighs_nothing():
    rows = [call("ada", "Get", 0), call("ada", "Delete", 0), call("ada", "Delete", 1)]
    row = days_of(*rows, flagged=pl.col("api_operation") == "Delete")[-1].row(0, named=True)
    assert (row["api_days"], row["api_weight"]) == (1, 0.0)
    assert row["api_total"] > 0


def test_hours_that_are_flagged_are_no_rhythm():
    rows = [*(at(10, day) for day in range(7)), at(3, 3, operation="Delete"), at(3, 7)]
    unflagged, flagged = (
        days_of(*rows, flagged=mask)[-1]["active_bits"][0] for mask in (None, pl.col("api_operation") == "Delete")
    )
    assert flagged > unflagged > 0


def test_the_usual_hour_is_not_odd_and_the_night_is():
    office = [at(hour, day) for day in range(14) for hour in (9, 10, 11)]
    usual, night = (days_of(*office, at(hour, 14))[-1]["active_bits"][0] for hour in (10, 3))
    assert usual < 0.2
    assert night > 4


def test_an_hour_of_the_weekend_is_odd_for_those_who_work_on_weekdays():
    # The first day is a Thursday: days 2 and 3 are a weekend, as are 9 and 10.
    weekdays = [at(10, day) for day in range(9) if day % 7 not in (2, 3)]
    monday, saturday = days_of(*weekdays, at(10, 11))[-1], days_of(*weekdays, at(10, 9))[-1]
    assert saturday["active_bits"][0] > 2 * monday["active_bits"][0]


def test_a_row_is_as_odd_as_its_most_usual_hour():
    *_, last = days_of(*(at(10, day) for day in range(7)), at(3, 7), at(10, 7))
    assert last["hours"][0] == 2**3 | 2**10
    assert last["active_bits"][0] < 1


def test_nothing_is_odd_where_nothing_is_known():
    (first,) = days_of(at(3, 0))
    assert first["active_bits"].to_list() == [None]
    assert first["active_history"].to_list() == [0]
    assert first["calls_a_day_z"].to_list() == [None]


def test_a_level_of_an_expression_counts_a_day():
    rows = [call("ada", f"Get{n}", day) for day in range(3) for n in range(3)]
    news = [call("ada", f"Get{n}", 3) for n in range(24)]
    last = days_of(*rows, *news)[-1].row(0, named=True)
    assert (last["apis_a_day_today"], last["apis_a_day_median"], last["apis_a_day_max"]) == (24, 3.0, 3)
    # log2(25) - log2(4) = 2.64 octaves above, over half an octave that is widened by sqrt(1 + 4 / 3).
    assert last["apis_a_day_z"] == pytest.approx(2.644 / (0.5 * (7 / 3) ** 0.5), rel=1e-3)


@settings(max_examples=20)
@given(
    st.lists(
        st.builds(at, st.integers(0, 23), st.integers(0, 4), st.sampled_from(["ada", "bo"]), st.sampled_from("GPD")),
        min_size=1,
        max_size=30,
    ),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_what_is_learned_does_not_depend_on_how_events_were_cut(rows: list[dict], parts: int, random):
    def learned(pieces: list[list[dict]]) -> list[pl.DataFrame]:
        table = ActivityTable(PROFILED)
        for piece in pieces:
            table.add(summarise(PROFILED, events(*piece)))
        list(table.close(END_OF_TIME))
        return [pl.DataFrame(pl.from_arrow(table.export(name))).sort(pl.all()) for name in table.names[1:]]

    numbered = [row | {"event_hash": number} for number, row in enumerate(rows)]
    shuffled = random.sample(numbered, len(numbered))
    pieces = [piece for piece in (shuffled[number::parts] for number in range(parts)) if piece]
    for one, other in zip(learned([numbered]), learned(pieces), strict=True):
        assert one.equals(other)


def test_hours_merge_by_or():
    parts = [summarise(PROFILED, events(at(hour, 0))) for hour in (0, 23, 23)]
    (mask,) = read(PROFILED, merge(PROFILED, parts))["hours"]
    assert mask == 2**0 | 2**23


def test_labels_are_told_from_the_group_and_the_latest_row():
    assert days_of(call("ada", "Get"))[0]["initial"].to_list() == ["a"]
    with pytest.raises(ValueError, match="account_api"):
        replace(PROFILED, habits={"account_api": Habit(("initial",), ("api_operation",))})
