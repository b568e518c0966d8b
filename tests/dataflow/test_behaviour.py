"""Detectors of behaviour in the dataflow: what they see does not depend on how events are cut, ordered or spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from new_calls import CALLS, MIDNIGHT, NEW_CALL, WHOSE, call, calls_of, ingested

from guardray.dataflow.event_time import microseconds
from guardray.dataflow.partials import Owners
from guardray.dataflow.shard import Shard
from guardray.detectors.declare import ActivityDetector
from guardray.findings.sighting import Sighting, SightingFold
from guardray.intel.store import IndicatorStore


def seen(*rows: dict, detector: ActivityDetector = NEW_CALL, **surroundings) -> list[Sighting]:
    shard = Shard([detector])
    shard.merge(ingested(calls_of(rows), detector=detector, **surroundings).drain())
    return shard.finish()


USUAL = [call("GetUser", day, second) for day in range(3) for second in (1, 2)]


def test_what_was_done_before_is_not_news():
    assert seen(*USUAL) == []


def test_the_best_of_what_belongs_together_is_told_of_with_the_others_beside_it():
    news = [call("ListUsers", 2, 50), call("ListRoles", 2, 40), call("ListRoles", 2, 41), call("ListKeys", 2, 60)]
    (sighting,) = seen(*USUAL, *news)
    row = sighting.latest.row
    assert row["api_operation"] == "ListRoles"
    assert [(other["api_operation"], other["calls"]) for other in row["others"]] == [("ListKeys", 1), ("ListUsers", 1)]
    assert {other["api_history"] for other in row["others"]} == {2}
    assert (sighting.count, sighting.first_seen, sighting.last_seen) == (
        1,
        MIDNIGHT + timedelta(days=2, seconds=40),
        MIDNIGHT + timedelta(days=2, seconds=60),
    )


def test_without_anything_that_belongs_together_each_row_is_an_occurrence():
    (sighting,) = seen(*USUAL, call("A", 2), call("B", 2, 1), detector=replace(NEW_CALL, together=()))
    assert sighting.count == 2
    assert sighting.latest.row["others"] == []


def test_late_rows_and_trusted_callers_are_neither_news_nor_learned():
    trusted = {"src_endpoint_ip": "198.51.100.7"}
    lists = IndicatorStore.of({"198.51.100.7": "trusted"})
    assert seen(*USUAL, call("A", 2, is_late=True), call("B", 2, **trusted), indicators=lists) == []
    assert len(seen(*USUAL, call("A", 1, 9, is_late=True), call("A", 2))) == 1


def test_an_open_day_speaks_as_soon_as_the_days_before_it_are_learned():
    shard = Shard([NEW_CALL])
    shard.merge(ingested(calls_of([*USUAL, call("A", 2)])).drain())
    assert shard.crossing() == []  # of the first day
    shard.advance(microseconds(MIDNIGHT + timedelta(days=2)))
    (early,) = shard.crossing()
    assert [sighting.key for sighting in shard.finish()] == [early.key]


def test_a_condition_that_fails_is_reported_and_the_activity_goes_on_for_others():
    broken = replace(NEW_CALL, finding_type="Discovery:IAMUser/Broken", crossed=pl.col("no_such_column") > 1)
    shard = Shard([NEW_CALL, broken])
    shard.merge(ingested(calls_of([*USUAL, call("A", 2)])).drain())
    assert [sighting.key.finding_type for sighting in shard.finish()] == [NEW_CALL.finding_type]
    (problem,) = shard.problems
    assert problem.finding_type == broken.finding_type


def test_rows_that_cannot_be_told_from_others_are_reported_by_the_name_of_the_activity():
    blind = replace(NEW_CALL, activity=replace(CALLS, where=pl.col("no_such_column") > 1))
    ingest = ingested(calls_of(USUAL), detector=blind)
    (problem,) = ingest.problems
    assert problem.finding_type == "calls"
    assert ingest.drain().activities == {}


rows_of_calls = st.lists(
    st.builds(
        call,
        st.sampled_from(["A", "B", "C", "Heartbeat"]),
        st.integers(0, 4),
        st.integers(0, 5),
        st.sampled_from(["AIDA1", "AIDA2"]),
        cloud_account_uid=st.sampled_from(["111111111111", "222222222222", None]),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: (row["event_hash"], row["cloud_account_uid"]),
)


def folded(sightings: Sequence[Sighting]) -> list[Sighting]:
    fold = SightingFold()
    for sighting in sightings:
        fold.add(sighting)
    return fold.sightings()


CROWDED = replace(NEW_CALL, activity=replace(CALLS, room=WHOSE, most=2), together=(), most=1)
"""The same with room for two calls of a caller and day, of which one is told."""


@pytest.mark.parametrize("detector", [NEW_CALL, CROWDED], ids=["roomy", "crowded"])
@settings(max_examples=40, deadline=None)
@given(rows_of_calls, st.integers(1, 4), st.integers(1, 4), st.randoms(use_true_random=False))
def test_any_cut_order_and_spread_gives_the_same(detector, rows: list[dict], cuts: int, shards: int, random):
    whole = folded(seen(*rows, detector=detector))
    shuffled = random.sample(rows, len(rows))
    pieces = [calls_of(shuffled[cut::cuts]) for cut in range(cuts) if shuffled[cut::cuts]]
    owners = [Shard([detector]) for _ in range(shards)]
    for piece in pieces:
        partials = ingested(piece, detector=detector).drain()
        for shard, part in zip(owners, partials.split(shards, Owners.of([detector])), strict=True):
            shard.merge(part)
    steps = [microseconds(MIDNIGHT + timedelta(days=day)) for day in (1, 3)]
    spread = [sighting for shard in owners for step in steps for sighting in shard.advance(step)]
    parts = folded([*spread, *(sighting for shard in owners for sighting in shard.finish())])
    assert parts == whole
    assert [one.latest.row for one in parts] == [one.latest.row for one in whole]


def test_what_there_was_no_room_for_is_reported():
    news = [call(operation, 3, second) for second, operation in enumerate("ABCDE")]
    shard = Shard([CROWDED])
    shard.merge(ingested(calls_of([*USUAL, *news]), detector=CROWDED).drain())
    (sighting,) = shard.finish()
    assert sighting.count == 1
    of_activity, of_detector = shard.problems
    assert "calls: of about" in str(of_activity)
    assert "2 were looked at" in str(of_activity)
    assert str(of_detector).endswith("1 occurrences were left out, beside more telling ones of the same day")


@settings(max_examples=20, deadline=None)
@given(rows_of_calls, st.integers(0, 5))
def test_a_restored_shard_finds_what_the_other_would_have_found(rows: list[dict], day: int):
    undisturbed, stopped = Shard([NEW_CALL]), Shard([NEW_CALL])
    for shard in (undisturbed, stopped):
        shard.merge(ingested(calls_of(rows)).drain())
        shard.advance(microseconds(MIDNIGHT + timedelta(days=day)))
    assert folded(Shard.restore([NEW_CALL], stopped.snapshot()).finish()) == folded(undisturbed.finish())


@pytest.mark.parametrize("period", [timedelta(minutes=10), timedelta(hours=1)])
def test_without_anything_to_learn_periods_may_be_short(period: timedelta):
    burst = replace(CALLS, period=period, habits={})
    detector = replace(NEW_CALL, activity=burst, crossed=pl.col("calls") >= 3)
    apart = [call("A", 0, second) for second in (0, 1, 3600)]
    assert seen(*apart, detector=detector) == []
    assert len(seen(*apart, call("A", 0, 2), detector=detector)) == 1


@pytest.mark.parametrize("looked_at_early", [True, False])
def test_looking_at_a_day_that_is_open_forgets_nothing_for_earlier_days(looked_at_early: bool):
    shard = Shard([NEW_CALL])
    shard.merge(ingested(calls_of(USUAL)).drain())
    shard.advance(microseconds(MIDNIGHT + timedelta(days=3)))
    shard.merge(ingested(calls_of([call("GetUser", 95)])).drain())
    if looked_at_early:
        shard.crossing()
    shard.merge(ingested(calls_of([call("A", 50)])).drain())
    assert "A" in {sighting.latest.row["api_operation"] for sighting in shard.finish()}


def test_a_score_that_fails_is_reported_and_other_detectors_go_on():
    broken = replace(NEW_CALL, finding_type="Discovery:IAMUser/Broken", score=pl.col("api_operation").cast(pl.Int64))
    shard = Shard([broken, NEW_CALL])
    shard.merge(ingested(calls_of([*USUAL, call("A", 2)])).drain())
    assert [sighting.key.finding_type for sighting in shard.finish()] == [NEW_CALL.finding_type]
    assert [problem.finding_type for problem in shard.problems] == [broken.finding_type]


def test_rows_that_cannot_be_counted_are_reported_by_the_name_of_the_activity():
    derived = {"actor_principal": pl.col("api_operation").cast(pl.Int64).cast(pl.String)}
    ingest = ingested(calls_of(USUAL), detector=replace(NEW_CALL, activity=replace(CALLS, derived=derived)))
    assert ingest.drain().activities == {"calls": []}
    (problem,) = ingest.problems
    assert problem.finding_type == "calls"
