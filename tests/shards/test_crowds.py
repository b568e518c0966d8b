"""Crowds: how many others of a kind do the same on the day, whatever order the events came in."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shards.test_profiles import ACCOUNT, PROFILED, WHO, call, days_of, events

from guardray.dataflow.event_time import END_OF_TIME
from guardray.detectors.activity import Crowd
from guardray.shards.activities import ActivityTable
from guardray.shards.activity_rows import summarise
from guardray.shards.crowds import with_crowd

SAME_INITIAL = Crowd(ACCOUNT, ("api_operation",), pl.col("initial"), pl.lit(True))
WATCHED = replace(PROFILED, crowds={"crowd": SAME_INITIAL})


def counted(*rows: dict, where: pl.Expr | None = None) -> dict[tuple[str, str], tuple[int, int]]:
    """Others and how many are around, by user and operation of the last day."""
    crowd = SAME_INITIAL if where is None else replace(SAME_INITIAL, where=where)
    *_, last = days_of(*rows, activity=replace(WATCHED, crowds={"crowd": crowd}))
    told = last.select("actor_user_name", "api_operation", "crowd_others", "crowd_around").rows()
    return {(who, what): (others, around) for who, what, others, around in told}


def test_others_of_the_kind_who_do_the_same_are_counted_without_oneself():
    found = counted(call("ada", "Get"), call("ann", "Get"), call("amy", "Put"), call("bob", "Get"))
    assert found == {("ada", "Get"): (1, 2), ("ann", "Get"): (1, 2), ("amy", "Put"): (0, 2), ("bob", "Get"): (0, 0)}


def test_the_day_before_makes_no_crowd():
    assert counted(call("ann", "Get"), call("ada", "Get", day=1)) == {("ada", "Get"): (0, 0)}


def test_who_does_not_belong_is_around_and_makes_no_crowd():
    """Only whoever did it on an earlier day belongs."""
    earlier = (call("ann", "Get"), call("ada", "Put"))
    today = (call(who, "Get", day=1) for who in ("ada", "ann", "amy"))
    found = counted(*earlier, *today, where=(pl.col("api_days") > 0).any())
    assert found == {("ada", "Get"): (1, 2), ("amy", "Get"): (1, 2), ("ann", "Get"): (0, 2)}


def test_what_is_not_told_has_no_crowd():
    rows = pl.DataFrame(
        {
            "cloud_account_uid": ["1"] * 3,
            "actor_user_name": ["ada", "ann", "amy"],
            "initial": ["a"] * 3,
            "api_operation": [None, None, "Get"],
        },
        schema_overrides={"api_operation": pl.String},
    )
    others, around = with_crowd(rows, "crowd", SAME_INITIAL, WHO)
    assert others.to_list() == [0, 0, 0]
    assert around.to_list() == [2, 2, 2]


def test_a_crowd_is_named_by_columns_of_the_group():
    with pytest.raises(ValueError, match="crowd must name the owner"):
        replace(PROFILED, crowds={"crowd": Crowd(ACCOUNT, ("region",), pl.lit(1), pl.lit(True))})


def test_what_was_learned_does_not_depend_on_crowds():
    assert WATCHED.definition == PROFILED.definition


CALLS = st.lists(st.tuples(st.sampled_from(("ada", "ann", "bob")), st.sampled_from(("Get", "Put"))), min_size=1)


@settings(deadline=None, max_examples=20)
@given(calls=CALLS, cut=st.integers(0, 8))
def test_the_count_is_the_same_however_the_events_were_cut(calls, cut):
    rows = [call(*one) for one in calls]
    whole = counted(*rows)
    table = ActivityTable(WATCHED)
    for part in (rows[:cut][::-1], rows[cut:]):
        if part:
            table.add(summarise(WATCHED, events(*part)))
    (day,) = table.close(END_OF_TIME)
    told = day.select(*WHO[1:], "api_operation", "crowd_others", "crowd_around").rows()
    assert {(who, what): (others, around) for who, what, others, around in told} == whole
