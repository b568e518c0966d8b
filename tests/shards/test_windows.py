"""Windows against a plain dict of lists, however the rows are cut, ordered, batched and merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.shards.nulls import to_numpy, to_series
from guardray.shards.partition import split
from guardray.shards.windows import WindowTable
from guardray.stats.measures import Count, Distinct, Latest, Max, Min, Sum

KEY = {"address": np.dtype(np.uint32), "port": np.dtype(np.uint16)}
MEASURES = {
    "flows": Count(),
    "bytes": Sum("traffic_bytes"),
    "least": Min("traffic_bytes"),
    "most": Max("traffic_bytes"),
    "newest": Latest("traffic_bytes"),
    "peers": Distinct("peer", bits=64),
}
MINUTE = 60_000_000
WINDOW = timedelta(minutes=5)


@dataclass(frozen=True)
class Flow:
    subject: int
    address: int
    port: int
    time: int
    lasts: int
    traffic_bytes: int | None
    peer: int


flows = st.lists(
    st.builds(
        Flow,
        subject=st.sampled_from([0, 7, 2**64 - 1]),
        address=st.integers(0, 2),
        port=st.sampled_from([22, 3389]),
        time=st.integers(-20 * MINUTE, 20 * MINUTE),
        lasts=st.integers(0, MINUTE),
        traffic_bytes=st.one_of(st.none(), st.integers(-(2**62), 2**62)),
        peer=st.integers(0, 5),
    ),
    max_size=40,
)


def update(table: WindowTable, rows: Sequence[Flow]) -> None:
    time = np.array([row.time for row in rows], dtype=np.int64)
    table.update(
        np.array([row.subject for row in rows], dtype=np.uint64),
        {
            "address": np.array([row.address for row in rows], dtype=np.uint32),
            "port": np.array([row.port for row in rows], dtype=np.uint16),
        },
        time,
        time + np.array([row.lasts for row in rows], dtype=np.int64),
        {
            "traffic_bytes": to_numpy(pl.Series([row.traffic_bytes for row in rows], dtype=pl.Int64)),
            "peer": np.array([row.peer for row in rows], dtype=np.int64),
        },
    )


def table_of(rows: Sequence[Flow] = (), hop: timedelta | None = None) -> WindowTable:
    table = WindowTable(KEY, MEASURES, WINDOW, hop)
    update(table, rows)
    return table


def in_order(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("window_start", "subject", "address", "port")


def state(table: WindowTable) -> pl.DataFrame:
    return in_order(pl.DataFrame(table.export(clear=False)))


def expected(rows: Sequence[Flow], hop_minutes: int = 5) -> list[dict[str, object]]:
    groups: dict[tuple[int, ...], list[Flow]] = {}
    hop = hop_minutes * MINUTE
    for row in rows:
        for back in range(5 // hop_minutes):
            start = row.time // hop * hop - back * hop
            groups.setdefault((start, row.subject, row.address, row.port), []).append(row)
    return [window(identity, groups[identity]) for identity in sorted(groups)]


def window(identity: tuple[int, ...], rows: list[Flow]) -> dict[str, object]:
    start, subject, address, port = identity
    known = [(row.time, row.traffic_bytes) for row in rows if row.traffic_bytes is not None]
    values = [value for _, value in known]
    return {
        "subject": subject,
        "address": address,
        "port": port,
        "window_start": at(start),
        "window_end": at(start + 5 * MINUTE),
        "flows": len(rows),
        "bytes": max(-(2**63), min(2**63 - 1, sum(values))),
        "least": min(values, default=None),
        "most": max(values, default=None),
        "newest": max(known)[1] if known else None,
        "first_seen": at(min(row.time for row in rows)),
        "last_seen": at(max(row.time + row.lasts for row in rows)),
    }


def at(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


@given(flows)
def test_windows_hold_what_a_plain_loop_counts_before_and_after_1970(rows: list[Flow]):
    assert in_order(table_of(rows).frame()).drop("peers").to_dicts() == expected(rows)


@given(flows)
def test_sliding_windows_hold_each_row_once_for_every_window_over_it(rows: list[Flow]):
    frame = table_of(rows, hop=timedelta(minutes=1)).frame()
    assert in_order(frame).drop("peers").to_dicts() == expected(rows, hop_minutes=1)


@given(flows, st.randoms(use_true_random=False), st.integers(1, 4), st.booleans())
def test_state_is_byte_equal_when_rows_are_shuffled_split_and_merged(rows, random, parts, concatenate):
    whole = table_of(rows)
    shuffled = random.sample(rows, len(rows))
    tables = [table_of() for _ in range(parts)]
    while shuffled:
        size = random.randint(1, 5)
        update(random.choice(tables), shuffled[:size])
        shuffled = shuffled[size:]
    exported = [table.export() for table in random.sample(tables, parts)]
    merged = table_of()
    for partial in [pa.concat_tables(exported)] if concatenate else exported:
        merged.merge(partial)
    assert state(merged).equals(state(whole))


@given(flows, st.integers(1, 5))
def test_shards_together_hold_every_window_once_when_partials_are_split(rows: list[Flow], shards: int):
    whole = table_of(rows)
    frames = []
    for partial in split(whole.export(clear=False), shards):
        shard = table_of()
        shard.merge(partial)
        frames.append(shard.frame())
    assert in_order(pl.concat(frames)).equals(in_order(whole.frame()))


@given(flows, st.integers(-30 * MINUTE, 30 * MINUTE))
def test_closing_gives_and_removes_exactly_the_windows_that_ended_by_the_watermark(rows: list[Flow], watermark: int):
    table = table_of(rows)
    everything = in_order(table.frame())
    ended = pl.col("window_end") <= at(watermark)
    assert table.close(watermark).equals(everything.filter(ended))
    assert in_order(table.frame()).equals(everything.filter(~ended))
    update(table, rows)
    assert len(table) == len(everything)


@given(flows, flows)
def test_a_restored_table_goes_on_as_if_it_had_never_stopped(before: list[Flow], after: list[Flow]):
    running, restored = table_of(before), table_of()
    restored.restore(running.export(clear=False))
    running.crossed(nothing)
    for table in (running, restored):
        update(table, after)
    assert restored.export(clear=False).equals(running.export(clear=False))
    assert restored.crossed(everything).tolist() == list(range(len(restored)))


FLOW = Flow(subject=1, address=2, port=22, time=0, lasts=0, traffic_bytes=10, peer=1)


def everything(rows):
    return np.ones(len(rows), dtype=bool)


def nothing(rows):
    return np.zeros(len(rows), dtype=bool)


def test_only_windows_that_changed_are_asked_whether_they_cross():
    table = table_of([FLOW])
    asked: list[list[int]] = []

    def crosses(rows):
        asked.append(table.frame(rows)["port"].to_list())
        return everything(rows)

    table.crossed(crosses)
    table.crossed(crosses)
    update(table, [Flow(**(vars(FLOW) | {"port": 3389}))])
    table.crossed(crosses)
    assert asked == [[22], [3389]]


def test_a_window_that_has_crossed_is_told_of_until_it_closes():
    table = table_of([FLOW, Flow(**(vars(FLOW) | {"time": 6 * MINUTE}))])
    assert table.crossed(everything).tolist() == [0, 1]
    assert table.crossed(nothing).tolist() == [0, 1]
    table.close(5 * MINUTE)
    assert table.frame(table.crossed(nothing))["window_start"].to_list() == [at(5 * MINUTE)]


def test_exporting_forgets_the_windows_unless_told_not_to():
    table = table_of([FLOW])
    table.export(clear=False)
    assert len(table) == 1
    table.export()
    assert len(table) == 0


def test_distinct_counts_are_exact_when_they_are_few():
    table = table_of([Flow(**(vars(FLOW) | {"peer": peer})) for peer in (1, 2, 3, 1, 2)])
    assert table.frame()["peers"].to_list() == [3]


def test_a_window_with_distinct_512_costs_less_than_a_kilobyte():
    measures = {"flows": Count(), "bytes": Sum("bytes"), "peers": Distinct("peer", bits=512)}
    table = WindowTable(KEY, measures, WINDOW)
    count = 20_001
    number = np.arange(count)
    key = {"address": number.astype(np.uint32), "port": number.astype(np.uint16)}
    table.update(number.astype(np.uint64), key, number, number, {"bytes": number, "peer": number})
    assert table.nbytes / count < 350


@pytest.mark.parametrize("minutes", [-1, 2, 10])
def test_a_hop_that_does_not_divide_the_window_is_refused(minutes: int):
    with pytest.raises(ValueError, match="cannot slide"):
        WindowTable(KEY, MEASURES, WINDOW, timedelta(minutes=minutes))


def test_a_measure_with_a_reserved_name_is_refused():
    with pytest.raises(ValueError, match="last_seen"):
        WindowTable(KEY, {"last_seen": Count()}, WINDOW)


def test_state_of_another_kind_is_refused_when_merging():
    other = WindowTable(KEY, MEASURES, timedelta(minutes=1))
    with pytest.raises(ValueError, match="window_us"):
        table_of().merge(other.export())
    with pytest.raises(ValueError, match="peers"):
        table_of().merge(WindowTable(KEY, MEASURES | {"peers": Distinct("peer", bits=128)}, WINDOW).export())


@settings(max_examples=20)
@given(st.lists(st.one_of(st.none(), st.integers(0, 2**16 - 1))))
def test_nulls_survive_the_way_through_numpy(values: list[int | None]):
    series = pl.Series("port", values, dtype=pl.UInt16)
    assert to_series("port", to_numpy(series)).equals(series)
