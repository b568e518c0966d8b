"""`guardray status` tells how the service stands, and its exit status whether it works."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from finding_examples import one_of_each
from hypothesis import given
from hypothesis import strategies as st
from service_examples import RUNNING, STARTING, stopped
from typer.testing import CliRunner

from guardray.cli.app import app
from guardray.cli.status_shown import size_text, span
from guardray.errors import UsageError
from guardray.service.status import FRESH, KnownProblem, SourceStatus, encoded
from guardray.store.checkpoint_register import RegisteredCheckpoint
from guardray.store.database import Database
from guardray.store.findings import FindingStore
from guardray.store.outbox import Outbox
from guardray.store.outbox_register import Subscription
from guardray.store.service import ServiceStore
from guardray.store.service_status import StatusBoard

LASTS = timedelta(seconds=30)


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def tell(data):
    """Has a service say that it stands so, as long ago, and be there still or not."""

    def say(status, ago=timedelta(0)):
        data.mkdir(exist_ok=True)
        told_at = datetime.now(UTC) - ago
        with ServiceStore.open(str(data / "findings.db")) as store:
            fence = store.lease.acquire("host:42", told_at, LASTS, take_over=True)
            board = StatusBoard(Database(str(data / "findings.db")))
            board.save(encoded(replace(status, told_at=told_at, fence=fence)), told_at, fence)

    return say


@pytest.fixture
def ask(data):
    def run(*options):
        return CliRunner().invoke(app, ["status", "--data", str(data), *options])

    return run


def told(result):
    return json.loads(result.output)


class TestExitStatus:
    def test_it_is_0_while_the_service_takes_work(self, ask, tell):
        tell(RUNNING)
        assert ask().exit_code == 0

    @pytest.mark.parametrize(
        ("status", "ago", "reason"),
        [
            (STARTING, timedelta(0), "the service is starting"),
            (stopped(), timedelta(days=2), "the service has stopped"),
            (RUNNING, timedelta(seconds=90), "nothing was heard of the service for 90 s"),
        ],
    )
    def test_it_is_1_when_it_does_not_and_the_reason_is_told(self, ask, tell, status, ago, reason):
        tell(status, ago)
        result = ask()
        assert result.exit_code == 1
        assert result.output.splitlines()[0].startswith(f"guardray    not ready: {reason}")

    def test_a_store_that_no_service_used_is_told_of(self, ask, data):
        data.mkdir()
        FindingStore.open(str(data / "findings.db")).close()
        result = ask()
        assert (result.exit_code, result.output) == (1, "guardray    not ready: no service has run on this store\n")

    def test_a_store_that_is_not_there_is_not_made(self, ask, data):
        assert isinstance(ask().exception, UsageError)
        assert not data.exists()

    def test_a_service_that_holds_the_store_and_has_said_nothing_is_told_of(self, ask, data):
        data.mkdir()
        with ServiceStore.open(str(data / "findings.db")) as store:
            store.lease.acquire("host:42", datetime.now(UTC), LASTS)
        assert "not ready: the service has not said yet how it stands" in ask().output


class TestPicture:
    def test_it_has_all_that_the_service_said(self, ask, tell):
        tell(RUNNING)
        lines = ask().output.splitlines()
        assert lines[0] == "guardray    ready, 0.5.0"
        for label, start in (
            ("process", "host:42 for "),
            ("epoch", "4,211, "),
            ("checkpoint", "96 of epoch 4,200, "),
            ("event time", "2026-11-24 10:45:00Z, "),
            ("to finding", "half within 1.5 s, 95 % within 4.2 s (the latest 500 objects)"),
            ("ingest", "3 of 4 workers busy"),
            ("state", "239,000 rows in 2 shards, 120,000 in the largest"),
            ("read", "3,500,000 rows (1,000,000 cloudtrail, 2,500,000 vpc-flow) in 5,000 objects, 900.0 MB"),
            ("left out", "17 set aside, 4 late, 250 seen before"),
            ("findings", "42 new, 99 seen again, 12 open"),
            ("lost", "6 rows of state evicted, 1 restart"),
        ):
            (line,) = [line for line in lines if line.startswith(label.ljust(12))]
            assert line[12:].startswith(start)
        source = next(line for line in lines if line.strip().startswith("sqs://"))
        assert source.split()[1:] == ["31", "4", "s", "2"]
        assert any(line.strip().startswith("s3://logs/AWSLogs: access is denied") for line in lines)

    def test_destinations_are_told_from_the_outbox_whether_a_service_runs_or_not(self, ask, data):
        data.mkdir()
        url, now = str(data / "findings.db"), datetime.now(UTC)
        with Outbox.open(url) as outbox, FindingStore.open(url) as findings:
            outbox.register([Subscription(name="soc", update_every=timedelta(minutes=15), severity=0.1)], now)
            findings.commit(one_of_each(), epoch="a", now=now)
        assert told(ask("--format", "json"))["destinations"][0]["due"] == 4
        line = next(line for line in ask().output.splitlines() if line.strip().startswith("soc"))
        assert line.split()[:5] == ["soc", "0", "4", "0", "0"]

    def test_what_a_source_is_called_is_no_markup_and_controls_no_terminal(self, ask, tell):
        name = "[bold]a[/bold]\x1b[2J"
        problem = KnownProblem(text=name, count=1, since=RUNNING.since)
        tell(replace(RUNNING, sources=(SourceStatus(name=name, backlog=0),), problems=(problem,)))
        output = ask().output
        assert output.count("[bold]a[/bold]") == 2
        assert "\x1b" not in output

    def test_a_damaged_checkpoint_is_told_of(self, ask, tell, data):
        tell(RUNNING, FRESH / 2)
        with ServiceStore.open(str(data / "findings.db")) as store:
            fence = store.lease.holder(datetime.now(UTC)).fence
            store.epochs.commit(1, {}, fence=fence, now=datetime.now(UTC), fold=lambda connection: (0, 0))
            one = RegisteredCheckpoint(
                number=1, epoch=1, fence=fence, folder="x", digest="ab", bytes=1, created_at=datetime.now(UTC)
            )
            store.checkpoints.register(one)
            store.checkpoints.mark_damaged(1, "a file is missing", fence=fence)
        assert "damaged     1 checkpoint, see `guardray state list`" in ask().output


def test_json_has_the_status_and_what_the_store_knows(ask, tell):
    tell(RUNNING)
    found = told(ask("--format", "json"))
    assert (found["ready"], found["reason"], found["holder"]["name"]) == (True, None, "host:42")
    assert found["status"]["sources"][0]["backlog"] == 31
    assert (found["checkpoints"], found["destinations"]) == ([], [])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (75, "1 min 15 s"),
        (3_600, "1 h"),
        (3_601, "1 h"),
        (183_600, "2 d 3 h"),
        (86_400 * 400, "400 d"),
    ],
)
def test_times_have_their_greatest_unit_and_the_next(seconds, text):
    assert span(timedelta(seconds=seconds)) == text


@given(seconds=st.integers(0, 10**9))
def test_no_time_is_told_wrong_by_more_than_its_smaller_unit(seconds):
    units = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
    words = span(timedelta(seconds=seconds)).replace(",", "").split()
    parts = [(int(number), units[unit]) for number, unit in zip(words[::2], words[1::2], strict=True)]
    assert 0 <= seconds - sum(number * unit for number, unit in parts) < 3_600


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (9e8, "900.0 MB"), (3e15, "3,000.0 TB")]
)
def test_sizes_have_a_unit(size, text):
    assert size_text(size) == text
