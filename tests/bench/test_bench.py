"""`guardray bench` from end to end, on as few rows as it takes."""

from __future__ import annotations

import json
import shlex
import sys

import pytest
from typer.testing import CliRunner

from guardray.bench import run
from guardray.bench.bare import CANDIDATES
from guardray.bench.inputs import ROWS
from guardray.cli.app import app
from guardray.errors import UsageError
from guardray.simulate.benchmark import benchmark_input


@pytest.mark.parametrize("source", sorted(ROWS))
def test_every_candidate_reads_all_rows_of_its_source(source, tmp_path):
    written = benchmark_input(tmp_path, source, 500, seed=1)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert {decode(files) for decode in CANDIDATES[source]} == {written.rows}


def test_decoding_and_scanning_are_measured_side_by_side(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "RUNS", 1)
    result = CliRunner().invoke(app, ["bench", "--source", "dns", "--scale", "0.001", "--json"], catch_exceptions=False)
    (measured,) = json.loads(result.stdout)
    assert (measured["source"], measured["rows"]) == ("dns", 500)
    assert measured["decode_rows_per_s"] > measured["end_to_end_rows_per_s"] > 0


def test_what_lists_and_geography_cost_is_measured_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "RUNS", 1)
    arguments = ["bench", "--source", "dns", "--scale", "0.001", "--context", "--json"]
    (measured,) = json.loads(CliRunner().invoke(app, arguments, catch_exceptions=False).stdout)
    assert measured["without_indicators_rows_per_s"] > 0
    assert measured["without_context_rows_per_s"] > 0


def test_another_program_is_timed_on_the_same_files(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(run, "RUNS", 1)
    peer = tmp_path / "peer.py"
    peer.write_text("import pathlib, sys; assert list(pathlib.Path(sys.argv[1]).rglob('*.gz'))", encoding="utf-8")
    command = f"{sys.executable} {peer}"
    arguments = ["bench", "--source", "dns", "--scale", "0.001", "--json", "--peer"]
    for one in (command, f"{command} {{}} --quiet"):
        (measured,) = json.loads(CliRunner().invoke(app, [*arguments, one], catch_exceptions=False).stdout)
        assert measured["peer_rows_per_s"] > 0


@pytest.mark.parametrize(
    ("command", "reason"),
    [("/no/such/program", "No such file"), (f"{sys.executable} -c 'raise SystemExit(\"full\")'", "full")],
)
def test_another_program_that_fails_says_what_went_wrong(command, reason, tmp_path):
    with pytest.raises(run.BenchError, match=f"peer dns failed.*{reason}"):
        run._peer_seconds(shlex.split(command), "dns", tmp_path)


def test_a_peer_that_is_no_command_is_refused():
    result = CliRunner().invoke(app, ["bench", "--peer", "a 'b"])
    assert isinstance(result.exception, UsageError)


def test_a_measurement_that_fails_says_what_went_wrong(tmp_path):
    with pytest.raises(run.BenchError, match=r"(?s)bare nonsense failed.*KeyError"):
        run._child("bare", "nonsense", tmp_path)
