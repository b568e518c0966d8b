"""Changes are judged in the order of their time, whatever the order in which they come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.detectors.declare import ChangeDetector, Judgement
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.shards.changes import PROBLEMS_KEPT, ChangeBuffer, Configurations

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def judge(row: dict[str, Any], known: Any) -> Judgement:
    """Remembers the versions seen; fires when one is lower than the last; version 0 forgets."""
    version = int(row["api_request_data"])
    if version == 0:
        return Judgement(None)
    history = [*(known or []), version]
    return Judgement(tuple(history), fires=bool(known) and version < known[-1], facts={"history": known})


def no_details(row: Any) -> Details:
    raise AssertionError("judging needs no details")


DETECTOR = ChangeDetector(
    finding_type="Stealth:IAMUser/PasswordPolicyChange",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=(),
    details=no_details,
    examples=(),
    where=pl.lit(True),
    key=("cloud_account_uid", "bucket_name"),
    judge=judge,
)


def rows_of(changes: list[tuple[int, int, int, str | None]]) -> pl.DataFrame:
    return api_activity.SCHEMA.frame(
        {
            "time": EPOCH + timedelta(microseconds=time),
            "event_hash": event_hash,
            "api_request_data": str(version),
            "cloud_account_uid": "123456789012",
            "bucket_name": bucket,
        }
        for time, event_hash, version, bucket in changes
    )


changes = st.lists(
    st.tuples(st.integers(0, 10), st.integers(0, 2**64 - 1), st.integers(0, 3), st.sampled_from(["a", "b", None])),
    max_size=20,
    unique_by=lambda change: change[:2],
)


@given(changes, st.randoms(use_true_random=False), st.integers(0, 12))
def test_judgements_are_the_same_when_rows_come_in_another_order_and_in_parts(changes, random, watermark: int):
    whole, parts = ChangeBuffer(), ChangeBuffer()
    whole.add(rows_of(changes))
    for change in random.sample(changes, len(changes)):
        parts.add(rows_of([change]))
    at_once, in_steps = Configurations(), Configurations()
    expected = at_once.judge_all(DETECTOR, whole.release(100))
    stepwise = in_steps.judge_all(DETECTOR, parts.release(watermark))
    stepwise += in_steps.judge_all(DETECTOR, parts.release(100))
    assert stepwise == expected
    assert in_steps.export().sort_by("key").equals(at_once.export().sort_by("key"))


@given(changes, changes)
def test_restored_state_judges_as_the_one_it_was_taken_from(before, after):
    running, restored = Configurations(), Configurations()
    running.judge_all(DETECTOR, rows_of(before))
    restored.restore(running.export())
    assert restored.judge_all(DETECTOR, rows_of(after)) == running.judge_all(DETECTOR, rows_of(after))
    assert restored.export().equals(running.export())


def test_rows_wait_until_the_watermark_has_passed_them():
    buffer = ChangeBuffer()
    buffer.add(rows_of([(5, 1, 1, "a"), (3, 2, 1, "a"), (4, 9, 1, "a"), (4, 8, 1, "a")]))
    assert buffer.release(3).is_empty()
    assert buffer.release(5)["event_hash"].to_list() == [2, 8, 9]
    assert len(buffer) == 1


def test_nothing_is_released_when_nothing_was_added():
    assert ChangeBuffer().release(2**63 - 1).is_empty()


@given(changes)
def test_waiting_rows_survive_being_kept(changes):
    buffer, restored = ChangeBuffer(), ChangeBuffer()
    buffer.add(rows_of(changes))
    restored.restore(buffer.export())
    restored.add(rows_of([(11, 0, 1, "a")]))
    buffer.add(rows_of([(11, 0, 1, "a")]))
    assert restored.release(100).equals(buffer.release(100))


def test_a_judge_sees_configurations_as_json_gives_them_from_the_first_time_on():
    judged = Configurations().judge_all(DETECTOR, rows_of([(1, 1, 2, "a"), (2, 2, 1, "a")]))
    assert [(judgement.fires, judgement.facts["history"]) for _, judgement in judged] == [(False, None), (True, [2])]


def test_a_key_is_forgotten_when_the_judge_says_none():
    configurations = Configurations()
    configurations.judge_all(DETECTOR, rows_of([(1, 1, 2, "a"), (2, 2, 1, None), (3, 3, 0, "a")]))
    assert configurations.export()["key"].to_pylist() == ['["123456789012",null]']


def test_another_kind_of_table_is_refused():
    with pytest.raises(ValueError, match="state: string"):
        Configurations().restore(pa.table({"key": ["a"]}))


def test_a_late_row_is_judged_by_itself_whether_it_comes_before_or_after_its_neighbours():
    on_time = rows_of([(1, 1, 3, "a"), (5, 5, 3, "a")])
    late = rows_of([(2, 2, 1, "a")]).with_columns(is_late=pl.lit(True))

    def history_before(*steps: pl.DataFrame) -> dict[int, list[int] | None]:
        configurations = Configurations()
        judged = [each for rows in steps for each in configurations.judge_all(DETECTOR, rows)]
        return {row["event_hash"]: judgement.facts["history"] for row, judgement in judged}

    in_order = pl.concat([on_time, late]).sort("time")
    expected = {1: None, 2: None, 5: [3]}
    assert history_before(in_order) == history_before(on_time, late) == history_before(late, on_time) == expected


def test_a_row_that_the_judge_fails_on_is_reported_and_the_others_are_judged():
    rows = rows_of([(1, 1, 3, "a"), (2, 2, 1, "a"), (3, 3, 2, "a")])
    broken = pl.when(pl.col("event_hash") == 2).then(pl.lit("no number")).otherwise("api_request_data")
    configurations = Configurations()
    judged = configurations.judge_all(DETECTOR, rows.with_columns(api_request_data=broken))
    assert [(row["event_hash"], judgement.fires) for row, judgement in judged] == [(1, False), (3, True)]
    (problem,) = configurations.problems
    assert problem.finding_type == DETECTOR.finding_type
    assert "no number" in problem.reason


def test_however_many_rows_the_judge_fails_on_only_the_latest_are_told_of():
    rows = rows_of([(event, event, 1, "a") for event in range(1, PROBLEMS_KEPT + 21)])
    configurations = Configurations()
    configurations.judge_all(DETECTOR, rows.with_columns(api_request_data=pl.lit("no number")))
    assert len(configurations.problems) == PROBLEMS_KEPT
