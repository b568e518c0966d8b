from __future__ import annotations

import pickle
from dataclasses import replace

import polars as pl
import pytest
from new_calls import CALLS, NEW_CALL

from guardray.detectors.declare import activities_of
from guardray.detectors.loader import load_detectors


def test_detectors_may_share_an_activity():
    assert activities_of([NEW_CALL, replace(NEW_CALL, finding_type="Discovery:IAMUser/Another")]) == (CALLS,)


def test_an_activity_that_came_from_another_process_is_the_same():
    there = pickle.loads(pickle.dumps(replace(NEW_CALL, details=len).activity))
    assert there is not CALLS
    assert len(activities_of([NEW_CALL, replace(NEW_CALL, activity=there)])) == 1


@pytest.mark.parametrize("change", [{"where": pl.lit(False)}, {"group": (*CALLS.group, "cloud_region")}])
def test_different_activities_of_one_name_are_refused(change: dict):
    with pytest.raises(ValueError, match="two different activities are named 'calls'"):
        activities_of([NEW_CALL, replace(NEW_CALL, activity=replace(CALLS, **change))])


def test_every_activity_that_comes_back_from_another_process_is_the_same():
    for activity in activities_of(load_detectors()):
        there = pickle.loads(pickle.dumps(activity))
        assert there.is_like(activity)
        assert there.definition == activity.definition


def test_conditions_that_call_python_are_told_apart_by_where_they_do():
    ours, theirs = (pl.col(column).map_batches(lambda values: values) for column in ("api_operation", "cloud_region"))
    assert replace(CALLS, where=ours).definition != replace(CALLS, where=theirs).definition
