"""`guardray state`: what is told of checkpoints, a copy for other programs, and a new beginning."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from checkpoints.conftest import LASTS, Writer, files
from typer.testing import CliRunner, Result

from guardray.cli.app import app
from guardray.errors import StateError, StoreError, UsageError
from guardray.store.findings import FindingStore
from guardray.store.service import ServiceStore


def state(*arguments: object, data: Path) -> Result:
    return CliRunner().invoke(app, ["state", *map(str, arguments), "--data", str(data)])


def refusal(result: Result) -> str:
    assert isinstance(result.exception, UsageError | StoreError | StateError), result.output
    return str(result.exception)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a service that has ended, with two checkpoints."""
    with ServiceStore.open(str(tmp_path / "findings.db")) as store:
        writer = Writer(str(tmp_path / "checkpoints"), store)
        for epoch in (1, 2):
            writer.write(epoch)
        store.lease.release(writer.fence)
    return tmp_path


def damage(data: Path, ending: str) -> Path:
    path = next(data.glob(f"checkpoints/00000001-00000002/**/*{ending}"))
    path.write_bytes(path.read_bytes()[:-1])
    return path


class TestList:
    def lines(self, data: Path, *arguments: str) -> tuple[int, list[dict]]:
        result = state("list", "--format", "json", *arguments, data=data)
        return result.exit_code, json.loads(result.output)

    def test_each_checkpoint_is_told_of_newest_first(self, data):
        status, (newest, _) = self.lines(data, "--verify")
        assert status == 0
        told = {name: newest[name] for name in ("number", "epoch", "shards", "tables", "damage")}
        assert told == {"number": 2, "epoch": 2, "shards": 2, "tables": 6, "damage": None}
        assert newest["bytes"] > 0

    def test_the_table_has_a_line_each(self, data):
        output = state("list", "--verify", data=data).output
        assert [line.split()[:2] for line in output.splitlines() if line.rstrip().endswith("sound")] == [
            ["2", "2"],
            ["1", "1"],
        ]

    def test_a_damaged_file_is_found_by_verifying(self, data):
        path = damage(data, ".arrows")
        status, (newest, before) = self.lines(data, "--verify")
        assert (status, before["damage"]) == (3, None)
        assert newest["damage"] == f"{path}: its bytes are not those that were written"

    def test_files_are_not_read_without_being_asked_to(self, data):
        damage(data, ".arrows")
        assert self.lines(data)[1][0]["damage"] is None
        assert "not read (--verify)" in state("list", data=data).output

    def test_a_missing_manifest_leaves_unknown_what_was_in_it(self, data):
        next(data.glob("checkpoints/*2/manifest.json")).unlink()
        _, (newest, _) = self.lines(data)
        assert (newest["tables"], newest["damage"].endswith("manifest.json: it is missing")) == (None, True)

    def test_a_folder_without_a_store_is_named_and_stays_as_it_is(self, tmp_path):
        assert f"{tmp_path}/findings.db: there is no store" in refusal(state("list", data=tmp_path))
        assert files(tmp_path) == set()


class TestExport:
    def test_tables_are_parquet_files(self, data, tmp_path):
        result = state("export", tmp_path / "out", data=data)
        assert result.output == f"6 tables of checkpoint 2 in {tmp_path}/out\n"
        windows = pl.read_parquet(tmp_path / "out" / "shard-1" / "windows%2FRecon:EC2%2FPortscan.parquet")
        assert windows.to_dicts() == [{"epoch": 2}]
        assert json.loads((tmp_path / "out" / "manifest.json").read_text())["epoch"] == 2

    def test_an_older_one_can_be_chosen(self, data, tmp_path):
        assert "of checkpoint 1 in" in state("export", tmp_path / "out", "--number", 1, data=data).output

    def test_one_that_is_not_there_is_refused_with_those_that_are(self, data, tmp_path):
        refused = refusal(state("export", tmp_path / "out", "--number", 7, data=data))
        assert refused == "--number: there is no checkpoint 7, only 1, 2"

    def test_a_folder_that_holds_something_is_left_alone(self, data, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").touch()
        assert "out: the folder is not empty" in refusal(state("export", tmp_path / "out", data=data))
        assert files(tmp_path / "out") == {"mine"}

    def test_a_damaged_one_is_refused(self, data, tmp_path):
        path = damage(data, ".arrows")
        assert str(path) in refusal(state("export", tmp_path / "out", data=data))

    def test_before_the_first_there_is_nothing(self, tmp_path):
        ServiceStore.open(str(tmp_path / "findings.db")).close()
        assert refusal(state("export", tmp_path / "out", data=tmp_path)) == "there is no checkpoint yet"


class TestReset:
    def test_it_asks_for_a_yes_and_says_what_is_lost(self, data):
        before = files(data)
        assert "reset forgets 2 checkpoints: open windows" in refusal(state("reset", data=data))
        assert files(data) == before

    def test_checkpoints_go_and_the_store_stays(self, data):
        (data / "checkpoints" / "notes.txt").touch()
        assert state("reset", "--yes", data=data).output.startswith("2 checkpoints and 2 epochs forgotten, ")
        assert files(data / "checkpoints") == {"notes.txt"}
        with FindingStore.open(str(data / "findings.db")) as store:
            assert store.findings() == []
        assert json.loads(state("list", "--format", "json", data=data).output) == []

    def test_the_service_begins_anew_after_it(self, data):
        state("reset", "--yes", data=data)
        with ServiceStore.open(str(data / "findings.db")) as store:
            writer = Writer(str(data / "checkpoints"), store)
            assert writer.checkpoints.restore().manifest is None
            assert writer.write(1).number == 1

    def test_it_is_refused_while_a_service_runs(self, data):
        before = files(data / "checkpoints")
        with ServiceStore.open(str(data / "findings.db")) as store:
            store.lease.acquire("host-7 (pid 42)", datetime.now(UTC), LASTS)
        assert "host-7 (pid 42) runs the service on it" in refusal(state("reset", "--yes", data=data))
        assert files(data / "checkpoints") == before
