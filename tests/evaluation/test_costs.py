"""What is remembered is measured by who has it, and what models take by what there is to learn from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.shard import Shard
from guardray.detectors.declare import on_earlier_days
from guardray.detectors.ec2.connections import flow
from guardray.detectors.ec2.network_port_unusual import DETECTOR
from guardray.detectors.ec2.unusual_traffic import SPEC
from guardray.evaluation.costs import model_cost, profile_sizes, tables
from guardray.intel.store import IndicatorStore
from guardray.models.archive import Archive
from guardray.models.policy import Policy
from guardray.models.prior import prior_rows
from guardray.testing import frame_of

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
SESSION = {"tcp_flags": 3, "traffic_packets": 12, "traffic_bytes": 2400, "src_endpoint_port": 50016}


def learned(hosts: int):
    """A baseline of so many instances, three days of each."""
    days = on_earlier_days(3, flow(dst_endpoint_port=8443, **SESSION))
    rows = [{**row, "instance_uid": f"i-{host}"} for host in range(hosts) for row in days]
    ingest = Ingest([DETECTOR], Surroundings(IndicatorStore()), lambda hashes, times: hashes == hashes)
    ingest.on_batch(DETECTOR.schema, frame_of(DETECTOR.schema, rows))
    shard = Shard([DETECTOR])
    shard.merge(ingest.drain())
    shard.finish()
    return shard.learned()


def test_what_is_remembered_of_an_instance_is_the_same_however_many_there_are():
    (few,), (many,) = (profile_sizes(learned(hosts), [DETECTOR.activity]) for hosts in (2, 9))
    assert (few.actors, many.actors) == (2, 9)
    assert few.own / 2 == pytest.approx(many.own / 9, rel=0.05)
    assert few.shared == many.shared == 0
    assert 0 < few.text < 1
    assert sum(size for _, size in few.largest) == few.own


def test_what_nothing_is_known_of_is_left_out():
    assert profile_sizes(Shard([DETECTOR]).learned(), [DETECTOR.activity]) == []


def test_a_training_and_scores_are_measured(tmp_path):
    archive, usual = Archive(tmp_path / "archive"), prior_rows(SPEC)
    for day in range(21):
        rows = pl.DataFrame(usual[day::21], schema=list(SPEC.names)).with_row_index("digest")
        whose = {"cloud_account_uid": "111122223333", "cloud_region": "eu-west-1", "resource_uid": "i-1"}
        told = {**whose, "window_start": FIRST + timedelta(days=day)}
        archive.add(SPEC, rows.with_columns(pl.lit(value).alias(name) for name, value in told.items()))
    cost = model_cost(archive.root, SPEC.name, Policy(model="tails", injected=20))
    assert (cost.spec, cost.rows, cost.accounts) == (SPEC.name, len(usual), 1)
    assert cost.training_s > 0
    assert cost.training_bytes >= 0
    assert cost.rows_a_second > 100
    assert f"| {SPEC.name} | {len(usual)} | 1 |" in tables([], [cost])


def test_nothing_to_learn_from_costs_nothing(tmp_path):
    assert model_cost(tmp_path / "archive", SPEC.name, Policy()) is None
