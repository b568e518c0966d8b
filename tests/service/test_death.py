"""What is told of a service whose coordinator has died for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from guardray.cli.standing import look
from guardray.service.death import tell_of_death
from guardray.service.status import Phase, ServiceStatus, encoded
from guardray.store.database import Database
from guardray.store.lease import Lease
from guardray.store.service_status import StatusBoard

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
REASON = "the coordinator has ended for good: it was killed"


@pytest.fixture
def url(tmp_path):
    return str(tmp_path / "findings.db")


@pytest.fixture
def database(url):
    database = Database(url)
    yield database
    database.close()


def last_said(database: Database, phase: Phase) -> ServiceStatus:
    """A service that has said this, and then nothing more."""
    fence = Lease(database).acquire("host:1", NOW, timedelta(seconds=15))
    status = ServiceStatus(phase=phase, told_at=NOW, since=NOW, fence=fence)
    StatusBoard(database).save(encoded(status), NOW, fence)
    return status


def test_a_service_that_ran_is_not_ready_at_once_and_its_status_has_the_reason(database, url):
    last_said(database, Phase.RUNNING)
    assert look(url, NOW).reason is None
    tell_of_death(url, REASON, NOW)
    standing = look(url, NOW)
    assert standing.reason == "the service has failed for good, see `guardray status`"
    assert [problem.text for problem in standing.status.problems] == [REASON]


def test_the_next_one_need_not_wait_until_it_counts_as_gone(database, url):
    last_said(database, Phase.RESTORING)
    tell_of_death(url, REASON, NOW)
    assert Lease(database).acquire("host:2", NOW, timedelta(seconds=15))


@pytest.mark.parametrize("phase", [Phase.STOPPED, Phase.REFUSED])
def test_an_end_that_the_coordinator_told_itself_stays_as_it_was_told(database, url, phase):
    told = last_said(database, phase)
    tell_of_death(url, REASON, NOW)
    assert look(url, NOW).status == told


def test_another_that_has_taken_its_place_speaks_for_the_service(database, url):
    told = last_said(database, Phase.RUNNING)
    Lease(database).acquire("host:2", NOW, timedelta(seconds=15), take_over=True)
    tell_of_death(url, REASON, NOW)
    assert look(url, NOW).status == told


def test_where_no_service_has_said_anything_there_is_nothing_to_tell(database, url):
    tell_of_death(url, REASON, NOW)
    assert look(url, NOW).status is None
