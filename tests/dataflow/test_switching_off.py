"""A detector that fails where its state is kept is switched off with one message, and the others go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from guardray.context.enrich import Surroundings
from guardray.dataflow.deciding import Windows
from guardray.dataflow.event_time import microseconds
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.partials import Partials
from guardray.dataflow.shard import Shard
from guardray.dataflow.windowing import WindowCounter
from guardray.detectors.ec2 import portscan
from guardray.detectors.ec2.connections import flow
from guardray.schema import network_activity
from guardray.testing import START, frame_of

SCAN = portscan.DETECTOR
FAULTY = replace(SCAN, finding_type="Recon:EC2/Faulty")
LATER = microseconds(START + timedelta(days=3))


def partials(*detectors) -> Partials:
    rows = [flow(target="10.0.0.9", dst_endpoint_port=port) for port in range(20, 120)]
    ingest = Ingest(detectors, Surroundings(), lambda hashes, times: np.ones(len(hashes), bool))
    ingest.on_batch(network_activity.SCHEMA, frame_of(network_activity.SCHEMA, rows))
    return ingest.drain()


def assert_only_the_faulty_is_off(shard: Shard) -> None:
    assert [one.key.finding_type for one in shard.crossing()] == [SCAN.finding_type]
    shard.advance(LATER)
    assert [one.key.finding_type for one in shard.decide(LATER)] == [SCAN.finding_type]
    shard.merge(partials(SCAN, FAULTY))
    (problem,) = shard.problems
    assert problem.finding_type == FAULTY.finding_type
    assert "is switched off, since it failed" in str(problem)


def test_one_whose_partial_aggregates_cannot_be_merged():
    shard = Shard([SCAN, FAULTY])
    part = partials(SCAN, FAULTY)
    part.windows[FAULTY.finding_type] = part.windows[FAULTY.finding_type].drop_columns(["subject"])
    shard.merge(part)
    assert_only_the_faulty_is_off(shard)


def test_one_whose_threshold_raises_what_nobody_expects(monkeypatch: pytest.MonkeyPatch):
    shard = Shard([SCAN, FAULTY])
    shard.merge(partials(SCAN, FAULTY))
    crosses = Windows._crosses

    def failing(self: Windows, detector, windows: pl.DataFrame) -> pl.Series:
        if detector.finding_type == FAULTY.finding_type:
            raise RuntimeError("a model is missing")
        return crosses(self, detector, windows)

    monkeypatch.setattr(Windows, "_crosses", failing)
    assert_only_the_faulty_is_off(shard)


def test_too_little_memory_is_no_fault_of_a_detector(monkeypatch: pytest.MonkeyPatch):
    shard = Shard([SCAN])
    shard.merge(partials(SCAN))

    def exhausted(self: Windows, detector, windows: pl.DataFrame) -> pl.Series:
        raise MemoryError

    monkeypatch.setattr(Windows, "_crosses", exhausted)
    with pytest.raises(MemoryError):
        shard.crossing()
    assert not shard.problems


def test_one_that_cannot_be_counted_where_rows_are_read(monkeypatch: pytest.MonkeyPatch):
    count = WindowCounter.count

    def failing(self: WindowCounter, *batch) -> None:
        if self.table is faulty.table:
            raise OverflowError("too many ports")
        count(self, *batch)

    rows = [flow(target="10.0.0.9", dst_endpoint_port=port) for port in range(20, 120)]
    ingest = Ingest([SCAN, FAULTY], Surroundings(), lambda hashes, times: np.ones(len(hashes), bool))
    faulty = ingest._plans[network_activity.SCHEMA.name].windows[FAULTY.finding_type]
    monkeypatch.setattr(WindowCounter, "count", failing)
    for _ in range(2):
        ingest.on_batch(network_activity.SCHEMA, frame_of(network_activity.SCHEMA, rows))
    assert ingest.drain().windows.keys() == {SCAN.finding_type}
    assert [problem.finding_type for problem in ingest.problems] == [FAULTY.finding_type]
