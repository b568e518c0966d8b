"""Models are trained when that is due, and a training that fails changes nothing."""

from __future__ import annotations

import errno
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from guardray.models.archive import Archive
from guardray.models.policy import Policy
from guardray.models.registry import PROMOTED, Registry
from guardray.service.features import FeatureArchive
from guardray.service.training import Training
from tests.runtime.small_models import ACCOUNT, SPEC

FIRST = date(2026, 1, 5)
NOW = datetime(2026, 2, 6, tzinfo=UTC)
POLICY = Policy(model="robust", least_recall=0.0, most_findings=1e6, by_hand=False)


def rows(days: int, *, since: int = 0, most: float = 10.0, account: str = ACCOUNT) -> pl.DataFrame:
    """Twenty principals' rows of each of these days."""
    rng = np.random.default_rng(days * 31 + since)
    count = 20 * days
    starts = [datetime.combine(FIRST, datetime.min.time()) + timedelta(days=since + at // 20) for at in range(count)]
    return pl.DataFrame(
        {
            "cloud_account_uid": [account] * count,
            "actor_user_uid_alt": [f"AIDA{at % 20}" for at in range(count)],
            "window_start": starts,
            "digest": pl.Series(rng.integers(0, 2**63, count), dtype=pl.UInt64),
            "calls": rng.uniform(0, most, count),
            "flagged": [False] * count,
        }
    )


class Place:
    """An archive and a registry."""

    def __init__(self, folder: Path) -> None:
        self.archive, self.registry = Archive(folder / "archive"), Registry(folder / "models")

    def learn(self, rows: pl.DataFrame) -> None:
        assert FeatureArchive(self.archive, [SPEC]).keep({SPEC.name: rows}) == []

    def training(self, policy: Policy = POLICY, **options) -> Training:
        return Training(self.archive, self.registry, [SPEC], policy, **options)

    @property
    def in_force(self) -> str | None:
        return self.registry.promotions().in_force.get(SPEC.name)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_is_trained_before_there_is_enough_history(place: Place):
    assert place.training().run(NOW) == []
    place.learn(rows(13))
    assert place.training().run(NOW) == []
    assert place.in_force is None


def test_the_first_model_is_trained_and_put_in_force_once_there_are_two_weeks(place: Place):
    place.learn(rows(14))
    (told,) = place.training().run(NOW)
    assert "there are 14 days to learn from" in told
    assert "is in force" in told
    assert place.in_force is not None


def test_the_same_archive_is_not_trained_on_twice(place: Place):
    place.learn(rows(14))
    place.training().run(NOW)
    assert place.training().run(NOW) == []


def test_a_week_later_it_is_trained_again(place: Place):
    place.learn(rows(14))
    place.training().run(NOW)
    first = place.in_force
    place.learn(rows(7, since=14))
    (told,) = place.training().run(NOW)
    assert "the last training was 7 days ago" in told
    assert place.in_force != first


def test_an_account_that_has_drifted_is_trained_again_at_once(place: Place):
    place.learn(rows(14))
    place.training().run(NOW)
    place.learn(rows(4, since=14, most=90.0))
    (told,) = place.training().run(NOW)
    assert f"1 accounts have drifted, {ACCOUNT} most, by calls" in told


def test_days_that_are_as_they_were_are_no_reason_to_train(place: Place):
    place.learn(rows(14))
    place.training().run(NOW)
    place.learn(rows(4, since=14))
    assert place.training().run(NOW) == []


def test_what_is_asked_for_is_trained_whatever_is_due(place: Place):
    place.learn(rows(9))
    (told,) = place.training().run(NOW, is_asked=True)
    assert "it was asked for" in told


def test_a_person_promotes_where_the_policy_wants_that(place: Place):
    place.learn(rows(14))
    (told,) = place.training(Policy(model="robust", by_hand=True)).run(NOW)
    assert "waits for a person" in told
    assert place.in_force is None
    assert place.registry.cards()[0]


def test_a_training_that_fails_says_so_and_leaves_what_is_in_force(place: Place):
    place.learn(rows(14))
    place.training().run(NOW)
    (place.registry.root / PROMOTED).write_text("{}")
    (told,) = place.training().run(NOW, is_asked=True)
    assert "not trained" in told
    assert (place.registry.root / PROMOTED).read_text() == "{}"


def test_old_days_are_let_go(place: Place):
    place.learn(rows(20))
    place.training(keep_days=14).run(NOW)
    assert place.archive.days(SPEC)[0] == FIRST + timedelta(days=5)


def test_features_that_are_kept_twice_are_there_once(place: Place):
    place.learn(rows(3))
    before = place.archive.read(SPEC)
    place.learn(rows(3))
    assert place.archive.read(SPEC).equals(before)


def test_features_that_cannot_be_kept_are_told_of(tmp_path: Path):
    (tmp_path / "archive").write_text("in the way")
    (problem,) = FeatureArchive(Archive(tmp_path / "archive"), [SPEC]).keep({SPEC.name: rows(1)})
    assert "what models learn from cannot be kept" in problem


def test_a_disk_that_is_full_in_the_middle_of_a_training_leaves_all_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    place.learn(rows(14))
    place.training().run(NOW)
    before, cards = place.in_force, place.registry.cards()[0]

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("guardray.models.registry.write_durably", full)
    place.learn(rows(7, since=14))
    (told,) = place.training().run(NOW)
    assert "not trained" in told
    assert "No space left" in told
    assert (place.in_force, place.registry.cards()[0]) == (before, cards)
    monkeypatch.undo()
    assert place.training().run(NOW)
    assert place.in_force != before


def test_a_version_that_waits_is_told_of_beside_the_one_in_force_each_day(place: Place):
    place.learn(rows(14))
    place.training().run(NOW)
    waiting = place.training(Policy(model="tails", by_hand=True, window_days=40))
    waiting.run(NOW, is_asked=True)
    place.learn(rows(1, since=14))
    (told,) = waiting.run(NOW)
    assert f"waits beside {place.in_force}" in told
