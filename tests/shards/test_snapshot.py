"""Snapshots: what is read back goes on as if nothing had happened, and what is damaged says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.errors import SnapshotError
from guardray.schema import network_activity
from guardray.shards.changes import ChangeBuffer
from guardray.shards.deduplicator import Deduplicator
from guardray.shards.directory import EntityDirectory
from guardray.shards.snapshot import read_snapshot, write_snapshot
from guardray.shards.windows import WindowTable
from guardray.stats.hashing import hash_strings
from guardray.stats.measures import Count, Distinct, Latest, Sum

TABLES = {"one": pa.table({"a": [1, 2]}, metadata={"kept": "yes"}), "kind/two": pa.table({"b": ["x", None]})}
MEASURES = {
    "flows": Count(),
    "bytes": Sum("traffic_bytes"),
    "newest": Latest("traffic_bytes"),
    "ports": Distinct("dst_endpoint_port", bits=64),
}


class State:
    """One of each kind of state, fed with the same flows."""

    def __init__(self) -> None:
        self.windows = WindowTable({"dst_endpoint_port": np.dtype(np.uint16)}, MEASURES, timedelta(minutes=1))
        self.entities = EntityDirectory()
        self.seen = Deduplicator()
        self.buffer = ChangeBuffer()

    def update(self, flows: pl.DataFrame) -> list[bool]:
        subjects = hash_strings(flows["interface_uid"])
        time = flows["time"].to_physical().to_numpy()
        columns = {name: flows[name].to_numpy() for name in ("dst_endpoint_port", "traffic_bytes")}
        self.windows.update(subjects, columns, time, time, columns)
        self.entities.update(flows, subjects)
        self.buffer.add(flows.with_columns(pl.Series("event_hash", subjects)))
        return self.seen.first_seen(subjects, time).tolist()

    def tables(self) -> dict[str, pa.Table]:
        return {
            "windows": self.windows.export(clear=False),
            "entities": self.entities.export(),
            "seen": self.seen.export(),
            "buffer": self.buffer.export(),
        }

    @classmethod
    def restored(cls, tables: dict[str, pa.Table]) -> State:
        state = cls()
        state.windows.restore(tables["windows"])
        state.entities.merge(tables["entities"])
        state.seen.restore(tables["seen"])
        state.buffer.restore(tables["buffer"])
        return state


def flow(seconds: int, interface: int, port: int) -> dict[str, Any]:
    return {
        "time": datetime(2024, 5, 1, tzinfo=UTC) + timedelta(seconds=seconds),
        "interface_uid": f"eni-0123456789abcdef{interface}",
        "src_endpoint_ip_v4": 0x0A000001 + interface,
        "dst_endpoint_ip_v4": 0xC6336401 + port,
        "dst_endpoint_port": port,
        "traffic_bytes": port * seconds,
    }


flows = st.lists(st.builds(flow, st.integers(-200_000, 200_000), st.integers(0, 3), st.integers(0, 5)), max_size=15)


@settings(max_examples=40)
@given(flows, flows)
def test_state_goes_on_byte_equal_after_a_snapshot(before: list[dict[str, Any]], after: list[dict[str, Any]]):
    running = State()
    running.update(network_activity.SCHEMA.frame(before))
    with TemporaryDirectory() as folder:
        write_snapshot(f"{folder}/epoch-1", running.tables())
        restored = State.restored(read_snapshot(f"{folder}/epoch-1"))
    rows = network_activity.SCHEMA.frame(after)
    assert restored.update(rows) == running.update(rows)
    for name, table in running.tables().items():
        assert restored.tables()[name].equals(table), name


@settings(max_examples=20)
@given(flows, flows)
def test_exported_tables_stay_as_they_are_when_the_state_goes_on(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
):
    state = State()
    state.update(network_activity.SCHEMA.frame(before))
    tables = state.tables()
    copies = {name: table.to_pylist() for name, table in tables.items()}
    state.update(network_activity.SCHEMA.frame(after))
    state.windows.close(2**60)
    assert {name: table.to_pylist() for name, table in tables.items()} == copies


def test_tables_are_read_back_with_their_own_metadata_when_the_place_is_a_url(tmp_path: Path):
    url = (tmp_path / "snapshot").as_uri()
    write_snapshot(url, TABLES)
    tables = read_snapshot(url)
    assert list(tables) == list(TABLES)
    for name, table in TABLES.items():
        assert tables[name].equals(table, check_metadata=True)


def test_a_relative_path_is_a_local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write_snapshot("state/epoch-1", TABLES)
    assert read_snapshot(str(tmp_path / "state" / "epoch-1")).keys() == TABLES.keys()


def test_nothing_half_written_is_left_in_the_folder(tmp_path: Path):
    write_snapshot(str(tmp_path / "snapshot"), TABLES)
    names = sorted(path.name for path in (tmp_path / "snapshot").iterdir())
    assert names == ["manifest.json", "table-0000.arrow", "table-0001.arrow"]


def test_a_snapshot_is_never_overwritten(tmp_path: Path):
    write_snapshot(str(tmp_path), TABLES)
    with pytest.raises(SnapshotError, match="already"):
        write_snapshot(str(tmp_path), TABLES)


def test_a_missing_snapshot_is_named(tmp_path: Path):
    with pytest.raises(SnapshotError, match="nowhere"):
        read_snapshot(str(tmp_path / "nowhere"))


def test_a_place_that_no_file_system_knows_is_refused():
    with pytest.raises(SnapshotError, match="gopher"):
        read_snapshot("gopher://somewhere/else")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_snapshot(str(tmp_path), TABLES)
    return tmp_path


def test_an_unfinished_snapshot_does_not_count(written: Path):
    (written / "manifest.json").unlink()
    with pytest.raises(SnapshotError, match=r"manifest\.json"):
        read_snapshot(str(written))


def test_another_version_is_refused(written: Path):
    manifest = written / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": 99}))
    with pytest.raises(SnapshotError, match="version 99, this program reads 1"):
        read_snapshot(str(written))


def test_a_damaged_manifest_is_refused(written: Path):
    (written / "manifest.json").write_text('{"version": 1')
    with pytest.raises(SnapshotError):
        read_snapshot(str(written))


@pytest.mark.parametrize("position", [0, 100, -1])
def test_one_changed_byte_in_a_table_is_noticed(written: Path, position: int):
    path = written / "table-0001.arrow"
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    with pytest.raises(SnapshotError, match=r"table-0001\.arrow: it is damaged"):
        read_snapshot(str(written))


def test_a_truncated_table_is_noticed(written: Path):
    path = written / "table-0000.arrow"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(SnapshotError, match=r"table-0000\.arrow: it is damaged"):
        read_snapshot(str(written))


def test_files_that_changed_places_are_noticed(written: Path):
    manifest = written / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"][0]["table"], content["files"][1]["table"] = "kind/two", "one"
    manifest.write_text(json.dumps(content))
    with pytest.raises(SnapshotError, match="does not hold 'kind/two'"):
        read_snapshot(str(written))
