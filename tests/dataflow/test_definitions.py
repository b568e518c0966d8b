"""State of an activity that is defined otherwise now is not taken for what it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pyarrow as pa
import pytest
from new_calls import CALLS, MIDNIGHT, NEW_CALL, WHOSE, call, calls_of, ingested

from guardray.dataflow.event_time import microseconds
from guardray.dataflow.partials import Owners
from guardray.dataflow.regrouping import regroup
from guardray.dataflow.shard import Shard

USUAL = [call("GetUser", day, second) for day in range(3) for second in (1, 2)]
OTHERWISE = {
    "other rows": replace(CALLS, where=pl.col("api_operation") == "A"),
    "other columns": replace(CALLS, group=(*WHOSE, "api_operation")),
    "another owner": replace(CALLS, owner=WHOSE, room=WHOSE, actors=WHOSE),
}


def learned() -> dict[str, pa.Table]:
    shard = Shard([NEW_CALL])
    shard.merge(ingested(calls_of(USUAL)).drain())
    shard.advance(microseconds(MIDNIGHT + timedelta(days=2)))
    return dict(shard.snapshot())


@pytest.mark.parametrize("activity", OTHERWISE.values(), ids=OTHERWISE)
@pytest.mark.parametrize("shards", [None, 3])
def test_an_activity_of_another_definition_begins_anew_and_says_so(activity, shards: int | None):
    detector = replace(NEW_CALL, activity=activity)
    tables = [learned()] if shards is None else regroup([learned()], shards, Owners.of([detector]))
    restored = [Shard.restore([detector], one) for one in tables]
    assert {shard.state_rows() for shard in restored} == {0}
    problems = {str(problem) for shard in restored for problem in shard.problems}
    assert problems
    assert all(problem.startswith("calls: ") and "begins anew" in problem for problem in problems)


def test_one_of_the_same_definition_goes_on_also_in_other_shards():
    restored = [Shard.restore([NEW_CALL], one) for one in regroup([learned()], 3, Owners.of([NEW_CALL]))]
    assert sum(shard.state_rows() for shard in restored) > 0
    assert not any(shard.problems for shard in restored)


def test_state_from_before_tables_told_their_definition_goes_on():
    untold = {name: table.replace_schema_metadata(None) for name, table in learned().items()}
    restored = Shard.restore([NEW_CALL], untold)
    assert restored.state_rows() > 0
    assert not restored.problems
