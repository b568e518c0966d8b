"""Other numbers of shards: each key group's state goes along, and nothing that is found changes."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.context.enrich import Surroundings
from guardray.dataflow.event_time import microseconds
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.partials import Owners
from guardray.dataflow.regrouping import EVENTS_A_PIECE, Cutter, regroup
from guardray.dataflow.shard import Shard
from guardray.detectors.loader import load_detectors
from guardray.findings.sighting import Sighting, SightingFold
from guardray.shards.partition import shard_of
from guardray.simulate import Rates, simulate
from guardray.sources.objects import KeyFilter, locate
from guardray.sources.reader import Batch, Limits, Reader

DETECTORS = load_detectors()
OWNERS = Owners.of(DETECTORS)
ATTACKS = (
    "Recon:EC2/Portscan",
    "Stealth:IAMUser/CloudTrailLoggingDisabled",
    "Stealth:IAMUser/PasswordPolicyChange",
    "UnauthorizedAccess:EC2/SSHBruteForce",
)
HOUR_US = 3_600_000_000
COUNTS = (1, 2, 3, 5)

Tables = dict[str, pa.Table]


class Shards:
    """Some shards in this process, fed as the engines feed them."""

    def __init__(self, number: int) -> None:
        self.shards = [Shard(DETECTORS) for _ in range(number)]
        self.found = SightingFold()

    def first_seen(self, hashes: np.ndarray, times: np.ndarray) -> np.ndarray:
        owners = shard_of(hashes, len(self.shards))
        new = np.empty(len(hashes), dtype=bool)
        for index, shard in enumerate(self.shards):
            new[owners == index] = shard.first_seen(hashes[owners == index], times[owners == index])
        return new

    def take(self, batches: list[Batch]) -> Shards:
        ingest = Ingest(DETECTORS, Surroundings(), self.first_seen)
        for batch in batches:
            ingest.on_batch(batch.schema, batch.frame)
        partials = ingest.drain()
        self.add(partials.sightings)
        for shard, part in zip(self.shards, partials.split(len(self.shards), OWNERS), strict=True):
            shard.merge(part)
        latest = max(microseconds(batch.frame["time"].max()) for batch in batches)
        for shard in self.shards:
            self.add(shard.advance(latest - HOUR_US))
        return self

    def finish(self) -> list[Sighting]:
        for shard in self.shards:
            self.add(shard.finish())
        return self.found.sightings()

    def add(self, sightings: list[Sighting]) -> None:
        for sighting in sightings:
            self.found.add(sighting)

    def tables(self) -> list[Tables]:
        return [dict(shard.snapshot()) for shard in self.shards]

    def become(self, number: int) -> None:
        self.shards = [Shard.restore(DETECTORS, tables) for tables in regroup(self.tables(), number, OWNERS)]


def content(tables: Tables) -> dict[str, list[str]]:
    """The rows of each table, in whatever order they are."""
    return {name: sorted(map(repr, table.to_pylist())) for name, table in tables.items()}


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Batch], list[Batch]]:
    """An account's batches, by the middle of their time."""
    folder = tmp_path_factory.mktemp("simulated") / "account"
    simulate(folder, accounts=1, days=0.25, seed=5, rate=Rates.named("quiet"), attacks=ATTACKS)
    read = Reader(Limits()).read(locate([str(folder / "AWSLogs")], KeyFilter()))
    batches = [item for item in read if isinstance(item, Batch)]
    times = [time for batch in batches for time in (batch.frame["time"].min(), batch.frame["time"].max())]
    middle = min(times) + (max(times) - min(times)) / 2
    early = [Batch(b.schema, b.frame.filter(pl.col("time") < middle)) for b in batches]
    late = [Batch(b.schema, b.frame.filter(pl.col("time") >= middle)) for b in batches]
    return [b for b in early if b.frame.height], [b for b in late if b.frame.height]


@pytest.fixture(scope="module")
def held(halves) -> dict[int, list[Tables]]:
    """What each number of shards holds after the first half."""
    return {number: Shards(number).take(halves[0]).tables() for number in COUNTS}


@pytest.mark.parametrize(("before", "after"), [*permutations(COUNTS, 2)])
def test_regrouped_shards_hold_what_so_many_shards_would_have_held(held, before: int, after: int):
    regrouped = regroup(held[before], after, OWNERS)
    for mine, expected in zip(regrouped, held[after], strict=True):
        # Buffers that never held a row do not know their columns, so it is what is restored that must be equal.
        assert content(Shard.restore(DETECTORS, mine).snapshot()) == content(expected)


def test_every_kind_of_state_was_regrouped(held):
    filled = {name.split("/")[0] for tables in held[5] for name, table in tables.items() if len(table)}
    assert filled >= {"entities", "events", "windows", "changes", "activities"}


@pytest.mark.parametrize(("first", "then"), [(2, 4), (4, 3), (1, 2)])
def test_a_scan_whose_shards_become_others_finds_the_same(halves, first: int, then: int):
    undisturbed = Shards(1).take(halves[0]).take(halves[1]).finish()
    shards = Shards(first).take(halves[0])
    shards.become(then)
    assert shards.take(halves[1]).finish() == undisturbed
    assert {sighting.key.finding_type for sighting in undisturbed} >= set(ATTACKS)


@settings(max_examples=50)
@given(st.sets(st.integers(0, 2**64 - 1), max_size=200), st.integers(1, 9), st.integers(1, 9))
def test_objects_go_to_the_shard_that_is_asked_for_them(digests: set[int], before: int, after: int):
    def held_by(shards: int) -> list[Tables]:
        of_shard = [[digest for digest in sorted(digests) if digest % shards == shard] for shard in range(shards)]
        return [{"objects": pa.table({"digest": pa.array(mine, pa.uint64())})} for mine in of_shard]

    assert list(map(content, regroup(held_by(before), after, OWNERS))) == list(map(content, held_by(after)))


def test_state_of_a_detector_that_is_gone_is_left_out():
    gone = {"configurations/Gone:EC2/Type": pa.table({"key": ['["a"]'], "state": ["{}"]})}
    assert regroup([gone], 2, OWNERS) == [{}, {}]


class TestCutting:
    """Large tables are cut so that what did not change stays the same piece."""

    def windows(self, flows: np.ndarray) -> pa.Table:
        subjects = np.arange(len(flows), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        return pa.table({"subject": subjects, "window_start": flows, "flows": flows, "bytes": flows})

    def changed(self, name: str, before: pa.Table, after: pa.Table) -> tuple[int, int]:
        """How many pieces changed, of how many."""
        cut = Cutter(OWNERS)
        earlier, later = cut(name, before), cut(name, after)
        return sum(not any(piece.equals(old) for old in earlier) for piece in later), len(later)

    def test_a_key_that_changed_changes_the_piece_of_its_key_group_only(self):
        flows = np.arange(300_000)
        assert self.changed("windows/A", self.windows(flows), self.windows(np.where(flows == 7, 0, flows))) == (1, 16)

    def test_rows_stay_all_there(self):
        table = self.windows(np.arange(300_000))
        assert pa.concat_tables(Cutter(OWNERS)("windows/A", table)).sort_by("flows") == table

    def test_new_events_change_the_last_run_of_their_day_only(self):
        def events(days: list[int]) -> pa.Table:
            day = np.repeat(np.arange(len(days)), days)
            return pa.table({"day": day, "hash": np.arange(len(day), dtype=np.uint64)})

        full = [2 * EVENTS_A_PIECE, EVENTS_A_PIECE + 10]
        assert self.changed("events", events(full), events([full[0], full[1] + 5])) == (1, 4)

    def test_learned_rows_are_told_apart_by_content_and_not_by_their_order(self):
        (activity, owner), *_ = OWNERS.activities.items()
        rows = pl.DataFrame({column: [f"{column}-{n}" for n in range(100_000)] for column in owner})
        rows = rows.with_columns(days=pl.int_range(pl.len()))
        name = f"activities/{activity}/habit"
        count, pieces = self.changed(name, rows.to_arrow(), rows.sample(fraction=1, shuffle=True, seed=1).to_arrow())
        assert (count, pieces > 1) == (0, True)

    @pytest.mark.parametrize(("name", "rows"), [*product(["windows/A", "events", "anything"], [0, 1])])
    def test_a_small_table_is_one_piece(self, name: str, rows: int):
        table = self.windows(np.arange(rows))
        assert Cutter(OWNERS)(name, table) == [table]
