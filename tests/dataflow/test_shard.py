from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from guardray.context.enrich import Surroundings, enrich
from guardray.dataflow.event_time import microseconds
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.partials import Owners, Partials
from guardray.dataflow.shard import Shard
from guardray.detectors.ec2 import portscan
from guardray.detectors.ec2.connections import flow
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore
from guardray.schema import api_activity, network_activity
from guardray.shards.directory import EntityDirectory
from guardray.stats.hashing import hash_strings
from guardray.testing import START, frame_of

SCAN = portscan.DETECTOR
PORTS = portscan.PORTS
CHANGES = "Stealth:IAMUser/PasswordPolicyChange"
WINDOW = START + portscan.HOP
"""When the second of two overlapping windows begins."""


def attempts(ports: range, **columns) -> pl.DataFrame:
    rows = [{**flow(target="10.0.0.9", dst_endpoint_port=port), **columns} for port in ports]
    return frame_of(network_activity.SCHEMA, rows)


def fed(shard: Shard, *frames: pl.DataFrame) -> Shard:
    for frame in frames:
        ingest = Ingest([SCAN], Surroundings(), lambda hashes, times: np.ones(len(hashes), bool))
        ingest.on_batch(network_activity.SCHEMA, frame)
        shard.merge(ingest.drain())
    return shard


def test_an_open_window_speaks_as_soon_as_it_crosses_and_not_before():
    shard = Shard([SCAN])
    fed(shard, attempts(range(20, 20 + PORTS // 2)))
    assert shard.crossing() == []
    fed(shard, attempts(range(100, 100 + PORTS)))
    (early,) = shard.crossing()
    assert early.key.finding_type == SCAN.finding_type


def test_a_window_that_has_crossed_is_told_of_until_it_is_decided():
    shard = fed(Shard([SCAN]), attempts(range(20, 100)))
    (early,) = shard.crossing()
    assert shard.crossing() == [early]
    day_later = microseconds(START + timedelta(days=1))
    shard.advance(day_later)
    assert [sighting.key for sighting in shard.crossing()] == [early.key]
    (decided,) = shard.decide(day_later)
    assert decided.key == early.key
    assert shard.crossing() == shard.finish() == []


def test_a_window_that_may_overlap_an_open_one_waits_for_it():
    shard = fed(Shard([SCAN]), attempts(range(20, 100)))
    just_closed = microseconds(START + SCAN.window)
    shard.advance(just_closed)
    assert shard.decide(just_closed) == []


def test_what_is_said_early_and_at_the_end_is_one_finding():
    shard = fed(Shard([SCAN]), attempts(range(20, 100)))
    (early,), (final,) = shard.crossing(), shard.finish()
    assert early.key == final.key


def test_a_closed_window_is_forgotten_and_its_finding_is_kept():
    shard = fed(Shard([SCAN]), attempts(range(20, 100)))
    shard.advance(microseconds(START + timedelta(days=1)))
    assert shard.state_rows() == 0
    assert [sighting.count for sighting in shard.finish()] == [1]


def test_windows_that_overlap_are_one_occurrence_and_windows_apart_are_two():
    later = attempts(range(20, 100)).with_columns(pl.col("time", "end_time") + timedelta(hours=3))
    (sighting,) = fed(Shard([SCAN]), attempts(range(20, 100)), later).finish()
    assert sighting.count == 2
    assert sighting.last_seen - sighting.first_seen >= timedelta(hours=3)


def test_an_occurrence_lasts_as_long_as_the_windows_that_overlap_it_say():
    """A scan of eight minutes that begins five minutes into a window of ten."""
    slow = [
        flow(target="10.0.0.9", dst_endpoint_port=20 + i, time=WINDOW + i * timedelta(seconds=8)) for i in range(60)
    ]
    (sighting,) = fed(Shard([SCAN]), frame_of(network_activity.SCHEMA, slow)).finish()
    assert sighting.count == 1
    assert sighting.last_seen == slow[-1]["time"] + timedelta(seconds=60)


def test_late_rows_do_not_count_in_windows():
    frame = attempts(range(20, 100)).with_columns(is_late=pl.lit(True))
    assert fed(Shard([SCAN]), frame).finish() == []


@pytest.mark.parametrize("shards", [1, 2, 7])
def test_partial_aggregates_split_over_any_number_of_shards_give_the_same(shards: int):
    ingest = Ingest([SCAN], Surroundings(), lambda hashes, times: np.ones(len(hashes), bool))
    for host in range(20):
        columns = {"interface_uid": f"eni-{host}", "instance_uid": f"i-{host}"}
        ingest.on_batch(network_activity.SCHEMA, attempts(range(20, 100), **columns))
    found = []
    for part in ingest.drain().split(shards, Owners.of([SCAN])):
        shard = Shard([SCAN])
        shard.merge(part)
        found += shard.finish()
    assert sorted(sighting.key.entity for sighting in found) == sorted(f"i-{host}" for host in range(20))


def test_a_threshold_that_fails_is_reported_once_and_gives_no_finding():
    shard = fed(Shard([replace(SCAN, crossed=pl.col("no_such_measure") > 1)]), attempts(range(20, 100)))
    assert shard.crossing() == []
    assert shard.finish() == []
    (problem,) = shard.problems
    assert problem.finding_type == SCAN.finding_type
    assert "no_such_measure" in problem.reason


def test_state_past_its_budget_is_dropped_oldest_first_and_what_has_crossed_is_not_lost():
    shard = fed(Shard([SCAN]), attempts(range(20, 100)))
    day_later = START + timedelta(days=1)
    fed(shard, attempts(range(20, 25), time=day_later, end_time=day_later))
    rows = shard.state_rows()
    assert [sighting.key.finding_type for sighting in shard.crossing()] == [SCAN.finding_type]
    budget = shard.state_bytes() - 1
    assert shard.evict(budget) > 0
    assert shard.state_bytes() <= budget
    assert 0 < shard.state_rows() < rows
    assert [sighting.key.finding_type for sighting in shard.finish()] == [SCAN.finding_type]


def test_nothing_is_dropped_within_the_budget_and_a_budget_of_nothing_ends():
    shard = fed(Shard([SCAN]), attempts(range(20, 100)))
    assert shard.evict(shard.state_bytes()) == 0
    shard.evict(0)
    assert shard.state_rows() == 0


def test_all_that_grows_counts_and_all_of_it_can_go():
    shard = Shard(load_detectors())
    empty = shard.state_bytes()
    held = [
        lambda: fed(shard, *(attempts(range(20, 22), interface_uid=f"eni-{n}") for n in range(200))),
        lambda: [shard.first_object(digest, digest) for digest in range(1000)],
        lambda: shard.first_seen(np.arange(1000, dtype=np.uint64), np.arange(1000) * 10**9),
        lambda: shard.merge(Partials(changes={CHANGES: password_policies(300)})),
    ]
    for hold in held:
        before = shard.state_bytes()
        hold()
        assert shard.state_bytes() > before
    assert shard.evict(0) > 2000
    assert shard.state_bytes() < 1.1 * empty
    assert shard.objects() == frozenset()


def test_changes_that_must_make_room_are_judged_before_their_time_and_told_of():
    shard = Shard(load_detectors())
    shard.merge(Partials(changes={CHANGES: password_policies(2)}))
    shard.evict(0)
    told = [sighting.key.finding_type for sighting in shard.decide(0)]
    assert told == [CHANGES, CHANGES]
    assert shard.decide(0) == []


def test_interfaces_that_nothing_was_heard_of_for_the_longest_go_first():
    directory = EntityDirectory()
    for n in range(10):
        frame = enrich(
            attempts(range(20, 21), interface_uid=f"eni-{n}", time=START + timedelta(hours=n)),
            network_activity.SCHEMA,
            IndicatorStore(),
        )
        directory.update(frame, hash_strings(frame["interface_uid"]))
    assert directory.forget_oldest() == 5
    asked = pl.DataFrame({"subject": hash_strings(pl.Series([f"eni-{n}" for n in range(10)]))})
    found = directory.attach(asked)["interface_uid"].to_list()
    assert found == [None] * 5 + [f"eni-{n}" for n in range(5, 10)]
    assert directory.export().equals(copied(directory).export())


def password_policies(count: int) -> pl.DataFrame:
    """Each deletes the policy of another account."""
    rows = [
        {
            "time": START + timedelta(seconds=n),
            "event_hash": n,
            "cloud_account_uid": f"{n:012d}",
            "api_operation": "DeleteAccountPasswordPolicy",
        }
        for n in range(count)
    ]
    return enrich(frame_of(api_activity.SCHEMA, rows), api_activity.SCHEMA, IndicatorStore())


def copied(directory: EntityDirectory) -> EntityDirectory:
    copy = EntityDirectory()
    copy.merge(directory.export())
    return copy
