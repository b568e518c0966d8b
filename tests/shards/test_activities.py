"""Activities: rows of a period merge in any order, and a day is judged by the days before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.context.enrich import enrich
from guardray.dataflow.digests import digests
from guardray.dataflow.event_time import END_OF_TIME, microseconds
from guardray.detectors.activity import Activity, DistinctTexts, Habit, Level, Sample
from guardray.intel.store import IndicatorStore
from guardray.schema import api_activity
from guardray.shards.activities import ActivityTable
from guardray.shards.activity_rows import merge, read, summarise
from guardray.shards.learned import KEPT
from guardray.shards.levels import LEVEL_DAYS
from guardray.stats.measures import Count, Max, Min, Sum
from guardray.testing import frame_of

DAY_ONE = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCOUNT = ("cloud_account_uid",)

CALLS = Activity(
    name="calls",
    schema=api_activity.SCHEMA,
    where=pl.lit(True),
    owner=ACCOUNT,
    group=(*ACCOUNT, "actor_user_name", "api_operation"),
    measures={
        "calls": Count(),
        "regions": DistinctTexts("cloud_region", most=16),
        "some_regions": Sample("cloud_region", most=2),
        "first_hash": Min("event_hash"),
        "last_hash": Max("event_hash"),
        "hashes": Sum("event_hash"),
    },
    habits={
        "api": Habit((*ACCOUNT, "actor_user_name"), ("api_operation",)),
        "account_api": Habit(ACCOUNT, ("api_operation",)),
    },
    levels={"volume": Level((*ACCOUNT, "actor_user_name"), "calls")},
)


def events(*rows: dict) -> pl.DataFrame:
    frame = frame_of(api_activity.SCHEMA, [{"event_hash": i, "time": DAY_ONE, **row} for i, row in enumerate(rows)])
    enriched = enrich(frame, api_activity.SCHEMA, IndicatorStore())
    return enriched.with_columns(
        pl.Series("digest", digests(enriched, api_activity.SCHEMA)), pl.col("time").alias("last_seen")
    )


def call(user: str | None, operation: str | None, day: int = 0, **columns) -> dict:
    return {"actor_user_name": user, "api_operation": operation, "time": DAY_ONE + timedelta(days=day), **columns}


def days_of(*rows: dict) -> list[pl.DataFrame]:
    table = ActivityTable(CALLS)
    table.add(summarise(CALLS, events(*rows)))
    return [day.sort("actor_user_name", "api_operation") for day in table.close(END_OF_TIME)]


calls = st.builds(
    call,
    st.sampled_from(["ada", "bo", None]),
    st.sampled_from(["GetObject", "PutObject", None]),
    st.integers(0, 3),
    cloud_region=st.sampled_from([f"r-{n}" for n in range(40)]),
    time=st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3)).map(lambda time: time.replace(tzinfo=UTC)),
)


@settings(max_examples=30)
@given(st.lists(calls, min_size=1, max_size=40), st.integers(1, 5), st.randoms(use_true_random=False))
def test_rows_merge_to_the_same_however_they_are_cut_and_ordered(rows: list[dict], parts: int, random):
    frame = events(*rows)
    whole = read(CALLS, summarise(CALLS, frame))
    order = random.sample(range(frame.height), frame.height)
    pieces = [summarise(CALLS, frame[order[part::parts]]) for part in range(parts) if order[part::parts]]
    key = ["window_start", "actor_user_name", "api_operation"]
    assert read(CALLS, merge(CALLS, pieces)).sort(key).equals(whole.sort(key))


def test_a_row_counts_its_events_and_tells_of_the_latest():
    (day,) = days_of(
        call("ada", "GetObject", cloud_region="b", src_endpoint_ip="198.51.100.1"),
        {**call("ada", "GetObject", cloud_region="a"), "time": DAY_ONE + timedelta(hours=2)},
        {**call("ada", "GetObject", cloud_region="c"), "time": DAY_ONE + timedelta(hours=1)},
    )
    (row,) = day.to_dicts()
    assert (row["calls"], row["regions"], row["some_regions"]) == (3, 3, ["a", "b"])
    assert (row["first_hash"], row["last_hash"], row["hashes"]) == (0, 2, 3)
    assert (row["cloud_region"], row["src_endpoint_ip"]) == ("a", None)
    assert (row["first_seen"], row["last_seen"]) == (DAY_ONE, DAY_ONE + timedelta(hours=2))
    assert row["window_end"] - row["window_start"] == timedelta(days=1)


def test_distinct_texts_are_estimated_beyond_those_that_are_kept():
    (day,) = days_of(*(call("ada", "GetObject", cloud_region=f"r-{n}") for n in range(1000)))
    assert day["regions"].item() == pytest.approx(1000, rel=0.5)  # 16 hashes: a standard error of a quarter


def test_a_day_is_judged_by_the_days_before_it():
    first, second, third = days_of(
        call("ada", "GetObject", 0),
        call("bo", "PutObject", 1),
        call("ada", "GetObject", 2),
        call("ada", "PutObject", 2),
    )
    assert first.select("api_days", "api_history", "account_api_days").rows() == [(0, 0, 0)]
    assert second.select("api_days", "api_history", "account_api_history").rows() == [(0, 0, 1)]
    assert third.select("api_days", "api_history", "account_api_days", "account_api_history").rows() == [
        (1, 1, 1, 2),
        (0, 1, 1, 2),
    ]


def test_a_value_that_is_unknown_is_no_habit():
    *_, last = days_of(call("ada", None, 0), call("ada", None, 1))
    assert last.select("api_days", "api_history").rows() == [(None, 1)]


def test_a_column_that_the_activity_computes_can_be_a_habit():
    computed = replace(
        CALLS,
        derived={"role": pl.col("api_request_data").str.json_path_match("$.roleArn")},
        group=(*CALLS.group, "role"),
        habits={"role": Habit((*ACCOUNT, "actor_user_name"), ("role",))},
    )
    table = ActivityTable(computed)
    rows = (call("ada", "AssumeRole", day, api_request_data='{"roleArn": "dev"}') for day in (0, 1))
    table.add(summarise(computed, events(*rows)))
    assert [day["role_days"].item() for day in table.close(END_OF_TIME)] == [0, 1]


def test_an_owner_that_is_unknown_has_a_history_like_others():
    *_, last = days_of(call(None, "GetObject", 0), call(None, "GetObject", 1))
    assert last.select("api_days", "api_history").rows() == [(1, 1)]


def test_what_was_not_seen_for_long_is_news_again():
    *_, last = days_of(call("ada", "GetObject", 0), call("bo", "GetObject", 5), call("ada", "GetObject", KEPT.days + 5))
    assert last["api_days"].to_list() == [0]
    assert last["account_api_days"].to_list() == [2]


def test_a_level_is_the_median_of_the_days_with_any_and_how_far_they_stray():
    rows = [call("ada", "GetObject", day) for day, calls in enumerate((1, 2, 3)) for _ in range(calls)]
    *_, last = days_of(*rows, *[call("ada", "GetObject", 9), call("ada", "PutObject", 9), call("bo", "PutObject", 9)])
    levels = last.select("actor_user_name", "volume_today", "volume_median", "volume_mad", "volume_history").rows()
    assert levels == [("ada", 2, 2.0, 1.0, 3), ("ada", 2, 2.0, 1.0, 3), ("bo", 1, None, None, 0)]


def test_a_level_forgets_all_but_its_latest_days():
    rows = [call("ada", "GetObject", day) for day in range(LEVEL_DAYS + 1) for _ in range(2 if day else 9)]
    *_, last = days_of(*rows, call("ada", "GetObject", LEVEL_DAYS + 1))
    assert last.select("volume_median", "volume_mad", "volume_history").row(0) == (2.0, 0.0, LEVEL_DAYS)


def test_a_period_stays_open_until_the_watermark_has_passed_its_end():
    table = ActivityTable(CALLS)
    table.add(summarise(CALLS, events(call("ada", "GetObject", 0), call("ada", "GetObject", 1))))
    midnight = microseconds(datetime(2026, 1, 2, tzinfo=UTC))
    assert list(table.close(midnight - 1)) == []
    assert table.open()["window_start"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC)]
    assert [day.height for day in table.close(midnight)] == [1]
    assert table.open().select("window_start", "api_days").rows() == [(datetime(2026, 1, 2, tzinfo=UTC), 1)]


def test_a_restored_table_goes_on_where_the_other_was():
    rows = [call(user, operation, day) for day in range(4) for user in ("ada", None) for operation in ("A", f"B{day}")]
    frame = events(*rows)
    table = ActivityTable(CALLS)
    table.add(summarise(CALLS, frame))
    list(table.close(microseconds(DAY_ONE + timedelta(days=2))))
    other = ActivityTable(CALLS)
    for name in table.names:
        other.restore(name, table.export(name))
        assert other.schema(name) == table.schema(name)
    key = ["actor_user_name", "api_operation"]
    for ours, theirs in zip(table.close(END_OF_TIME), other.close(END_OF_TIME), strict=True):
        assert ours.sort(key).equals(theirs.sort(key))


@pytest.mark.parametrize(
    "wrong",
    [
        {"period": timedelta(hours=1)},
        {"owner": ("vpc_uid",)},
        {"habits": {"api": Habit(("actor_user_name",), ("api_operation",))}},
        {"habits": {"api": Habit(ACCOUNT, ("src_endpoint_ip",))}},
        {"levels": {"volume": Level(("actor_user_name",), "calls")}},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(wrong: dict):
    from dataclasses import replace

    with pytest.raises(ValueError, match="calls: "):
        replace(CALLS, **wrong)


def test_what_was_seen_most_often_is_told_of_each_owner():
    table = ActivityTable(CALLS)
    alice, bob = {"actor_user_name": "alice"}, {"actor_user_name": "bob"}
    for day, operations in enumerate((("A", "B"), ("B",), ("C",))):
        time = DAY_ONE + timedelta(days=day)
        rows = events(*({**alice, "api_operation": one, "time": time} for one in operations), {**bob, "time": time})
        table.add(summarise(CALLS, rows))
    *_, last = ((rows, table.with_usual(rows)) for rows in table.close(END_OF_TIME))
    usual = {row["actor_user_name"]: row["usual"] for row in last[1].to_dicts()}
    assert usual["alice"]["api"] == [(("B",), 2), (("A",), 1)]
    assert usual["bob"]["api"] == [(("DescribeInstances",), 2)]


FEW = replace(CALLS, most=4, room=(*ACCOUNT, "actor_user_name"))
"""The same with room for four rows of a user and day."""


many_calls = st.builds(
    call,
    st.sampled_from(["ada", "bo", None]),
    st.integers(0, 11).map(lambda n: f"Op{n}" if n else None),
    st.integers(0, 2),
    cloud_region=st.sampled_from([f"r-{n}" for n in range(40)]),
)


@settings(max_examples=40)
@given(st.lists(many_calls, min_size=1, max_size=60), st.integers(1, 6), st.randoms(use_true_random=False))
def test_there_is_room_for_the_same_rows_however_the_events_are_cut_and_ordered(rows: list[dict], parts: int, random):
    frame = events(*rows)
    whole = summarise(FEW, frame)
    order = random.sample(range(frame.height), frame.height)
    pieces = [summarise(FEW, frame[order[part::parts]]) for part in range(parts) if order[part::parts]]
    pairs = [merge(FEW, pieces[at : at + 2]) for at in range(0, len(pieces), 2)]
    key = ["window_start", "actor_user_name", "_is_rest", "api_operation"]
    assert read(FEW, merge(FEW, pairs)).sort(key).equals(read(FEW, whole).sort(key))
    rows_of_user = whole.filter(~pl.col("_is_rest")).group_by("window_start", "actor_user_name").len()
    assert rows_of_user["len"].max() <= FEW.most
    assert whole["calls"].sum() == frame.height


def test_nobody_fills_the_room_of_others_and_what_is_left_out_is_counted():
    table = ActivityTable(FEW)
    table.add(summarise(FEW, events(*(call("ada", f"Op{n}") for n in range(200)), call("bo", "GetObject"))))
    assert len(table) == FEW.most + 1 + 1
    (day,) = table.close(END_OF_TIME)
    assert day["actor_user_name"].value_counts(sort=True).rows() == [("ada", FEW.most), ("bo", 1)]
    assert table.left_out is not None
    assert "111122223333/ada from 2026-01-01 00:00 on, 4 were looked at" in str(table.left_out)


def test_a_level_counts_what_there_is_no_room_for():
    table = ActivityTable(FEW)
    rows = [call("ada", f"Op{n}", day) for day in (0, 1) for n in range(50)]
    table.add(summarise(FEW, events(*rows)))
    *_, last = table.close(END_OF_TIME)
    assert last.select("volume_today", "volume_median").unique().rows() == [(50, 50.0)]
    assert last["api_days"].to_list() == [1] * FEW.most  # the same ones are kept every day


def test_only_what_detectors_read_of_the_latest_event_is_kept():
    slim = replace(CALLS, latest=("src_endpoint_ip",))
    (row,) = read(slim, summarise(slim, events(call("ada", "GetObject", src_endpoint_ip="198.51.100.1")))).to_dicts()
    assert row["src_endpoint_ip"] == "198.51.100.1"
    assert "http_request_user_agent" not in row


def test_the_number_of_groups_that_there_was_no_room_for_is_estimated():
    some = replace(CALLS, most=400)
    table = ActivityTable(some)
    for part in range(5):
        rows = (call("ada", f"Op{n}") for n in range(part * 1000, part * 1000 + 1000))
        table.add(summarise(some, events(*rows)))
    list(table.close(END_OF_TIME))
    kinds = int(str(table.left_out).partition("about ")[2].partition(" ")[0].replace(",", ""))
    assert kinds == pytest.approx(5000, rel=0.2)
