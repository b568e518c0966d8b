"""`guardray simulate` as a person runs it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from guardray.cli.app import app
from guardray.cli.times import utc
from guardray.errors import UsageError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)], catch_exceptions=False)


def test_a_simulation_says_what_it_wrote_and_where_the_labels_are(tmp_path: Path):
    result = run(tmp_path / "out", "--days", 0.125, "--rate", "quiet", "--no-attacks")
    assert result.exit_code == 0
    assert "cloudtrail rows" in result.stderr
    assert f"0 attacks, labelled in {tmp_path / 'out' / 'labels.csv'}" in result.stderr


def test_a_start_with_a_time_zone_is_that_moment(tmp_path: Path):
    run(tmp_path / "out", "--days", 0.125, "--rate", "quiet", "--no-attacks", "--start", "2026-01-01T02:00:00+02:00")
    with (tmp_path / "out" / "labels.csv").open() as file:
        assert {row["start"] for row in csv.DictReader(file)} >= {"2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("days", ["0", "0.1", "367", "nan", "1e9"])
def test_days_that_cannot_be_simulated_are_refused(tmp_path: Path, days: str):
    result = run(tmp_path / "out", "--days", days)
    assert result.exit_code == 2
    assert "--days" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file/out: Not a directory"):
        run(tmp_path / "file" / "out", "--days", 0.125)


def test_times_without_a_zone_are_in_utc_and_others_are_converted():
    assert utc(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert utc(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))).isoformat() == "2026-01-01T00:00:00+00:00"
