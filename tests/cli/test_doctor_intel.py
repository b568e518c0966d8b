"""`guardray doctor` looks at threat feeds and lists."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from intel.feed_server import status, write_feed
from typer.testing import CliRunner

from guardray.cli.app import app
from guardray.cli.checks.intel import check_intel
from guardray.intel.upkeep import Library


@pytest.fixture
def feeds_file(tmp_path, server):
    return write_feed(tmp_path, server, refresh="1h")


@pytest.fixture
def check(tmp_path, feeds_file):
    def checked(now=None, file=feeds_file):
        return list(check_intel(file, tmp_path / "data", now))

    return checked


@pytest.fixture
def update(tmp_path, feeds_file):
    return lambda: Library(tmp_path / "data").update(feeds_file)


def test_nothing_is_said_where_there_is_no_list(tmp_path):
    assert list(check_intel(None, tmp_path / "data")) == []


def test_a_feed_that_was_fetched_is_in_order(check, update):
    update()
    feed, coverage = check()
    assert (feed.subject, feed.status, feed.found) == ("Feed bad", "ok", "1 entry, 0 min old")
    assert coverage.status == "warn"
    assert " have no list: " in coverage.found


def test_a_feed_that_was_never_fetched_is_warned_of(check):
    assert (check()[0].status, check()[0].found) == ("warn", "was never fetched")


@pytest.mark.parametrize(("hours", "expected"), [(2, "ok"), (4, "warn")])
def test_a_copy_may_be_as_old_as_three_intervals(check, update, hours, expected):
    update()
    assert check(datetime.now(UTC) + timedelta(hours=hours))[0].status == expected


def test_a_feed_that_broke_is_warned_of_with_the_reason(check, update, server):
    update()
    server.serve(status(500))
    update()
    assert check()[0].status == "warn"
    assert "the server answers 500" in check()[0].found


def test_a_feed_that_never_worked_fails(check, update, server):
    server.serve(status(404))
    update()
    assert (check()[0].status, check()[0].found) == ("fail", "the server answers 404 Not Found")
    assert "without the internet" in check()[0].mend


def test_a_feeds_file_that_is_wrong_fails(check, tmp_path):
    (tmp_path / "odd.yaml").write_text("feeds: 1")
    (outcome,) = check(file=tmp_path / "odd.yaml")
    assert (outcome.status, outcome.subject) == ("fail", "Threat lists")


def test_a_local_feed_that_is_gone_fails(check, tmp_path):
    feed = {"name": "near", "url": "gone.txt", "kind": "ip", "category": "c2"}
    (tmp_path / "near.yaml").write_text(json.dumps({"feeds": [feed]}))
    (outcome,) = check(file=tmp_path / "near.yaml")
    assert (outcome.status, "mend the file" in outcome.mend) == ("fail", True)
    assert "cannot be read" in outcome.found


def test_the_command_shows_the_checks(feeds_file, update, tmp_path):
    update()
    arguments = ["doctor", "--intel", str(feeds_file), "--state", str(tmp_path / "data"), "--format", "json"]
    shown = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert "Feed bad" in [one["subject"] for one in shown]
