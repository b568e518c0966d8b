"""A scan that stopped and goes on from a snapshot of its shard finds what it would have found undisturbed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from guardray.context.enrich import Surroundings, enriched_columns
from guardray.dataflow.event_time import microseconds
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.shard import Shard
from guardray.detectors.declare import WindowDetector
from guardray.detectors.ec2 import portscan
from guardray.detectors.ec2.connections import flow
from guardray.detectors.loader import load_detectors
from guardray.errors import SnapshotError
from guardray.findings.sighting import Sighting, SightingFold
from guardray.schema import EventSchema, api_activity, network_activity
from guardray.shards.snapshot import read_snapshot, write_snapshot
from guardray.simulate import Rates, simulate
from guardray.sources.objects import KeyFilter, locate
from guardray.sources.reader import Batch, Limits, Reader
from guardray.stats.measures import Count
from guardray.testing import START, frame_of

DETECTORS = load_detectors()
SCAN = portscan.DETECTOR
ATTACKS = (
    "Impact:EC2/PortSweep",
    "Policy:S3/AccountBlockPublicAccessDisabled",
    "Policy:S3/BucketPublicAccessGranted",
    "Recon:EC2/Portscan",
    "Stealth:IAMUser/CloudTrailLoggingDisabled",
    "Stealth:IAMUser/PasswordPolicyChange",
    "UnauthorizedAccess:EC2/SSHBruteForce",
)
STEP, LATENESS = timedelta(minutes=30), timedelta(hours=1)

Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Step:
    """Half an hour of an account's batches, with those trail events that are delivered once more."""

    batches: tuple[Batch, ...]
    watermark: int


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    folder = tmp_path_factory.mktemp("simulated") / "account"
    simulate(folder, accounts=1, days=0.25, seed=3, rate=Rates.named("quiet"), attacks=ATTACKS)
    read = Reader(Limits()).read(locate([str(folder / "AWSLogs")], KeyFilter()))
    return list(in_steps([item for item in read if isinstance(item, Batch)]))


def in_steps(batches: list[Batch]) -> Iterator[Step]:
    rows: dict[str, tuple[EventSchema, pl.DataFrame]] = {}
    for batch in batches:
        _, known = rows.get(batch.schema.name, (batch.schema, batch.schema.frame()))
        rows[batch.schema.name] = batch.schema, pl.concat([known, batch.frame])
    end = max(frame["time"].max() for _, frame in rows.values())
    start = min(frame["time"].min() for _, frame in rows.values())
    while start <= end:
        yield Step(tuple(part(*each, start) for each in rows.values()), microseconds(start + STEP - LATENESS))
        start += STEP


def part(schema: EventSchema, frame: pl.DataFrame, start: datetime) -> Batch:
    """The rows of a step; events of the step before come again, as trails do that deliver twice."""
    first = start - STEP if schema == api_activity.SCHEMA else start
    return Batch(schema, frame.filter(pl.col("time").is_between(first, start + STEP, closed="left")))


class Scan:
    """A scan that stops after some of its steps and goes on from a folder."""

    def __init__(self, folder: Path, stops: Collection[int] = ()) -> None:
        self.folder, self.stops = folder, stops
        self.shard = Shard(DETECTORS)
        self.found = SightingFold()
        self.duplicates = 0
        self.kept: list[Tables] = []

    def run(self, steps: list[Step]) -> Scan:
        for index, step in enumerate(steps):
            self.take(step)
            if index in self.stops:
                self.stop_and_go_on(str(self.folder / f"step-{index}"))
        self.add(self.shard.finish())
        assert self.shard.problems == []
        return self

    def take(self, step: Step) -> None:
        ingest = Ingest(DETECTORS, Surroundings(), self.shard.first_seen)
        for batch in step.batches:
            ingest.on_batch(batch.schema, batch.frame)
        partials = ingest.drain()
        self.duplicates += ingest.duplicates
        self.shard.merge(partials)
        self.add(partials.sightings)
        self.add(self.shard.advance(step.watermark))

    def stop_and_go_on(self, url: str) -> None:
        write_snapshot(url, self.shard.snapshot())
        self.kept.append(read_snapshot(url))
        self.shard = Shard.restore(DETECTORS, self.kept[-1])

    def add(self, sightings: list[Sighting]) -> None:
        for sighting in sightings:
            self.found.add(sighting)

    def outcome(self) -> tuple[int, list[Sighting], list[list[dict]]]:
        """Two sightings are equal whatever their rows say, so these are compared beside them."""
        sightings = self.found.sightings()
        rows = [[dict(seen.row) for seen in (sighting.latest, *sighting.samples)] for sighting in sightings]
        return self.duplicates, sightings, rows


@pytest.fixture(scope="module")
def undisturbed(steps: list[Step], tmp_path_factory: pytest.TempPathFactory) -> Scan:
    return Scan(tmp_path_factory.mktemp("nothing")).run(steps)


def test_the_undisturbed_scan_finds_what_was_planted(undisturbed: Scan):
    duplicates, sightings, _ = undisturbed.outcome()
    assert duplicates > 0
    assert {sighting.key.finding_type for sighting in sightings} >= set(ATTACKS)


@pytest.mark.parametrize("stops", [{0}, {3}, {6}, {11}, {2, 7}], ids=str)
def test_a_scan_that_stopped_finds_the_same_with_the_same_rows(
    steps: list[Step], undisturbed: Scan, tmp_path: Path, stops: set[int]
):
    assert Scan(tmp_path, stops).run(steps).outcome() == undisturbed.outcome()


@pytest.fixture(scope="module")
def restless(steps: list[Step], tmp_path_factory: pytest.TempPathFactory) -> Scan:
    return Scan(tmp_path_factory.mktemp("restless"), range(len(steps))).run(steps)


def test_a_scan_that_stopped_after_every_step_finds_the_same_with_the_same_rows(undisturbed: Scan, restless: Scan):
    assert restless.outcome() == undisturbed.outcome()


def test_every_kind_of_state_held_something_when_the_scan_stopped(restless: Scan):
    filled = {name.split("/")[0] for tables in restless.kept for name, table in tables.items() if len(table)}
    assert filled == {"entities", "events", "windows", "crossed", "changes", "configurations", "activities"}


def with_a_scan(shard: Shard, ports: range = range(20, 100), detector: WindowDetector = SCAN) -> Shard:
    ingest = Ingest([detector], Surroundings(), shard.first_seen)
    rows = [flow(target="10.0.0.9", dst_endpoint_port=port) for port in ports]
    ingest.on_batch(network_activity.SCHEMA, frame_of(network_activity.SCHEMA, rows))
    shard.merge(ingest.drain())
    return shard


@pytest.fixture
def tables() -> Tables:
    return dict(with_a_scan(Shard([SCAN])).snapshot())


def test_an_empty_shard_is_restored_empty_and_goes_on(tmp_path: Path):
    write_snapshot(str(tmp_path), Shard(DETECTORS).snapshot())
    restored = Shard.restore(DETECTORS, read_snapshot(str(tmp_path)))
    assert (restored.state_rows(), restored.objects()) == (0, frozenset())
    (sighting,) = with_a_scan(restored).finish()
    assert sighting.key.finding_type == SCAN.finding_type


def test_a_snapshot_stays_as_it_is_when_the_shard_goes_on():
    shard = with_a_scan(Shard([SCAN]))
    shard.advance(microseconds(START + timedelta(days=1)))
    tables = dict(shard.snapshot())
    copies = {name: table.to_pylist() for name, table in tables.items()}
    with_a_scan(shard, range(200, 300)).advance(microseconds(START + timedelta(days=2)))
    shard.first_object(7)
    shard.finish()
    assert {name: table.to_pylist() for name, table in tables.items()} == copies


def test_what_is_restored_is_exported_again_as_it_was(tables: Tables):
    again = Shard.restore([SCAN], tables).snapshot()
    assert list(again) == list(tables)
    assert all(again[name].equals(table, check_metadata=True) for name, table in tables.items())


def test_tables_are_named_by_what_they_hold_and_by_finding_type(tables: Tables):
    of_scan = {"windows/Recon:EC2/Portscan", "crossed/Recon:EC2/Portscan"}
    assert tables.keys() == {"entities", "events", "objects"} | of_scan


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\NUL", "a b%2Fc//d", "Ünïcode:Ж/😀!'\"\n", "windows/events"])
def test_a_finding_type_of_any_letters_is_kept(tmp_path: Path, name: str):
    odd = replace(SCAN, finding_type=name)
    write_snapshot(str(tmp_path / "deep" / "snapshot"), with_a_scan(Shard([odd]), detector=odd).snapshot())
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    (sighting,) = Shard.restore([odd], read_snapshot(str(tmp_path / "deep" / "snapshot"))).finish()
    assert sighting.key.finding_type == name


def test_objects_that_were_read_are_still_known():
    shard = Shard([])
    assert shard.first_object(2**64 - 1)
    restored = Shard.restore([], shard.snapshot())
    assert not restored.first_object(2**64 - 1)
    assert restored.first_object(1)


def test_a_detector_that_is_no_longer_there_is_dropped_and_a_new_one_starts_empty(tables: Tables):
    others = [detector for detector in DETECTORS if detector.finding_type != SCAN.finding_type]
    restored = Shard.restore(others, tables)
    assert restored.state_rows() == 0
    assert "windows/Recon:EC2/Portscan" not in restored.snapshot()
    assert Shard.restore(DETECTORS, restored.snapshot()).state_rows() == 0


SHARED = ["entities", "events", "objects"]
OF_THE_SCAN = ["windows/Recon:EC2/Portscan", "crossed/Recon:EC2/Portscan"]


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_table_that_is_missing_is_named_and_nothing_is_restored(tables: Tables, name: str):
    del tables[name]
    with pytest.raises(SnapshotError, match=f"{name}: the snapshot lacks this table"):
        Shard.restore([SCAN], tables)


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_table_of_another_kind_is_named_and_nothing_is_restored(tables: Tables, name: str):
    tables[name] = pa.table({"something": ["else"]})
    with pytest.raises(SnapshotError, match=name):
        Shard.restore([SCAN], tables)


def assert_begins_anew(shard: Shard, *named: str) -> None:
    (problem,) = shard.problems
    assert problem.finding_type == SCAN.finding_type
    assert all(text in str(problem) for text in ("begins anew", *named))
    assert shard.state_rows() == 0
    (sighting,) = with_a_scan(shard).finish()
    assert sighting.key.finding_type == SCAN.finding_type


@pytest.mark.parametrize("name", OF_THE_SCAN)
def test_a_detector_one_of_whose_tables_is_missing_begins_anew_and_says_so(tables: Tables, name: str):
    del tables[name]
    assert_begins_anew(Shard.restore([SCAN], tables), name, "lacks this table")


@pytest.mark.parametrize("name", OF_THE_SCAN)
def test_a_detector_one_of_whose_tables_is_of_another_kind_begins_anew_and_says_so(tables: Tables, name: str):
    tables[name] = pa.table({"something": ["else"]})
    assert_begins_anew(Shard.restore([SCAN], tables), name)


@pytest.mark.parametrize(
    "changed",
    [
        replace(SCAN, window=2 * SCAN.window),
        replace(SCAN, measures={**SCAN.measures, "flows": Count()}),
        replace(SCAN, key=(*SCAN.key, "protocol_num")),
    ],
    ids=["window", "measures", "key"],
)
def test_a_detector_that_counts_otherwise_now_begins_anew_and_the_others_go_on(tables: Tables, changed):
    others = [detector for detector in DETECTORS if detector.finding_type != SCAN.finding_type]
    restored = Shard.restore([changed, *others], tables)
    (problem,) = restored.problems
    assert "windows/Recon:EC2/Portscan" in str(problem)
    kept, before = restored.snapshot(), Shard.restore(others, tables).snapshot()
    assert all(kept[name].equals(table) for name, table in before.items())
    assert kept["windows/Recon:EC2/Portscan"].num_rows == 0


def test_a_detector_of_changes_with_other_columns_than_ours_begins_anew():
    tables = dict(Shard(DETECTORS).snapshot())
    name = "changes/Stealth:IAMUser/PasswordPolicyChange"
    rows = pl.DataFrame(schema=enriched_columns(api_activity.SCHEMA))
    assert not Shard.restore(DETECTORS, tables | {name: rows.to_arrow()}).problems
    (problem,) = Shard.restore(DETECTORS, tables | {name: rows.drop("time").to_arrow()}).problems
    assert name in str(problem)


@pytest.mark.parametrize("damage", [lambda data: data[:-10], lambda data: bytes([data[0] ^ 1]) + data[1:]])
def test_a_damaged_file_is_named_and_nothing_is_restored(tables: Tables, tmp_path: Path, damage):
    write_snapshot(str(tmp_path), tables)
    file = max(tmp_path.glob("*.arrow"))
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(SnapshotError, match=file.name):
        Shard.restore([SCAN], read_snapshot(str(tmp_path)))
