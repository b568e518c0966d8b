"""Training: what is learned and what is not, whether a candidate is good, and that a failure changes nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from models.specs import ACCOUNT, FIRST, NAMES, OTHER, SPEC, filled, measured, usual_features

from guardray.errors import ModelError
from guardray.models.archive import Archive
from guardray.models.back_test import anomalies, would_find
from guardray.models.card import BackTest
from guardray.models.feedback import Mark
from guardray.models.policy import Policy
from guardray.models.registry import Registry
from guardray.models.training import keep, live_family, train, verdict

AT = datetime(2026, 3, 30, 12, tzinfo=UTC)
POLICY = Policy(model="tails", by_hand=False)


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "archive")


def attack(rows: int = 12) -> np.ndarray:
    return np.full((rows, len(NAMES)), 15.0)


def scores(family, features, account=ACCOUNT):
    return anomalies(family, pl.Series([account] * len(features)), np.asarray(features, float))


def test_a_candidate_knows_each_account_and_keeps_to_the_budget_on_days_to_come(archive):
    until = filled(archive)
    candidate = train(archive, SPEC, POLICY, until=until)
    assert set(candidate.family.accounts) == {ACCOUNT, OTHER}
    card = candidate.card
    assert (card.rows, card.days, card.accounts, card.left_out) == (28 * 4 * 8, 56, 2, 0)
    assert (card.since, card.until) == (FIRST.isoformat(), until.isoformat())
    later = Archive(archive.root.with_name("later"))
    filled(later, days=140, seed=99)
    weeks = 2 * 140 / 7
    assert 0.2 < would_find(candidate.family, SPEC, later.read(SPEC)).height / weeks < 2.0
    assert (scores(candidate.family, attack(3)) > 1).all()


def test_the_same_archive_gives_the_same_models(archive):
    until = filled(archive)
    one, other = (train(archive, SPEC, Policy(model="shipped"), until=until) for _ in range(2))
    asked = usual_features(np.random.default_rng(5), 100) * 3
    assert one.card == other.card
    assert np.array_equal(scores(one.family, asked), scores(other.family, asked))


def test_other_rows_or_another_policy_make_another_version(archive):
    until = filled(archive)
    versions = {train(archive, SPEC, policy, until=until).card.version for policy in (POLICY, Policy(model="robust"))}
    archive.add(SPEC, measured(np.ones((1, 4)), until, who="carol"))
    versions.add(train(archive, SPEC, POLICY, until=until).card.version)
    assert len(versions) == 3
    assert all(version.startswith(f"{until:%Y%m%d}-") for version in versions)


def test_an_empty_archive_gives_no_candidate(archive):
    assert train(archive, SPEC, POLICY, until=FIRST) is None


def test_an_account_of_a_few_days_is_judged_by_what_is_common(archive):
    until = filled(archive)
    archive.add(SPEC, measured(np.ones((60, 4)), until, account="555566667777"))
    family = train(archive, SPEC, POLICY, until=until).family
    assert "555566667777" not in family.accounts
    assert scores(family, attack(1), "555566667777")[0] > 1


def test_what_is_common_fades_as_history_grows(tmp_path):
    weights = []
    for days in (7, 14, 28, 56):
        archive = Archive(tmp_path / str(days))
        until = filled(archive, days=days)
        weights.append(train(archive, SPEC, POLICY, until=until).family.accounts[ACCOUNT].weight)
    assert weights == pytest.approx([7 / 21, 14 / 28, 28 / 42, 56 / 70])


def test_rows_that_a_finding_told_of_are_not_learned(archive):
    until = filled(archive)
    for at in range(5):
        day = until - timedelta(days=at)
        archive.add(SPEC, measured(attack(), day, who="mallory").with_columns(flagged=pl.lit(True)))
    candidate = train(archive, SPEC, POLICY, until=until)
    assert candidate.card.left_out == 60
    assert (scores(candidate.family, attack(1)) > 1).all()


def test_an_attack_that_nobody_noticed_is_still_unusual_afterwards(archive):
    until = filled(archive)
    archive.add(SPEC, measured(attack(4), until - timedelta(days=3), who="mallory"))
    family = train(archive, SPEC, POLICY, until=until).family
    assert (scores(family, attack(1)) > 1).all()


def test_a_finding_that_was_not_useful_raises_the_threshold_and_not_without_end(archive):
    until = filled(archive)
    day = until - timedelta(days=3)
    nightly = np.array([[0.0, 6.0, 6.0, 6.0]] * 3)
    archive.add(SPEC, measured(nightly, day, who="backup").with_columns(flagged=pl.lit(True)))
    before = train(archive, SPEC, POLICY, until=until).family
    mark = Mark(ACCOUNT, "backup", day, day, is_useful=False)
    after = train(archive, SPEC, POLICY, until=until, marks=[mark]).family
    assert scores(after, nightly[:1])[0] < scores(before, nightly[:1])[0]
    assert before.accounts[ACCOUNT].threshold < after.accounts[ACCOUNT].threshold
    assert after.accounts[ACCOUNT].threshold < 1.7 * before.accounts[ACCOUNT].threshold


def test_a_useful_finding_is_never_learned(archive):
    until = filled(archive)
    day = until - timedelta(days=3)
    archive.add(SPEC, measured(attack(), day, who="mallory"))
    mark = Mark(ACCOUNT, "mallory", day, day, is_useful=True)
    with_mark = train(archive, SPEC, POLICY, until=until, marks=[mark])
    assert with_mark.card.left_out == 12
    clean = Archive(archive.root.with_name("clean"))
    filled(clean)
    without = train(clean, SPEC, POLICY, until=until)
    asked = usual_features(np.random.default_rng(5), 50) * 3
    assert np.array_equal(scores(with_mark.family, asked), scores(without.family, asked))


def test_a_good_candidate_is_put_in_force_and_one_by_hand_waits(archive, tmp_path):
    until = filled(archive)
    registry = Registry(tmp_path / "models")
    by_hand = train(archive, SPEC, Policy(model="tails", by_hand=True), until=until)
    assert by_hand.verdict.is_good
    assert not keep(registry, by_hand, Policy(by_hand=True), at=AT)
    assert live_family(registry, SPEC) is None
    assert keep(registry, train(archive, SPEC, POLICY, until=until), POLICY, at=AT)
    assert live_family(registry, SPEC).spec == SPEC.name
    assert len(registry.cards()[0]) == 2


def test_the_back_test_finds_what_is_injected_and_names_what_was_changed(archive):
    until = filled(archive)
    tried = train(archive, SPEC, POLICY, until=until).card.back_test
    assert tried.recall > 0.9
    assert tried.explained > 0.9
    assert (tried.days, tried.accounts, tried.injected) == (7, 2, 400)


@pytest.mark.parametrize(
    ("tried", "live", "reason"),
    [
        (None, None, "too little history"),
        ((5.0, 0.9), None, r"5\.00 findings an account and week in the back-test, where at most 2\.00"),
        ((0.5, 0.4), None, "finds 40% of injected anomalies, where 50% are asked"),
        ((0.5, 0.8), (0.5, 0.95), "finds 80% of injected anomalies, the version in force 95%"),
    ],
)
def test_a_candidate_out_of_bounds_waits_for_a_person_and_says_why(tried, live, reason):
    def test_of(numbers):
        if numbers is None:
            return None
        return BackTest(days=7, accounts=2, findings_per_account_week=numbers[0], recall=numbers[1], injected=100)

    found = verdict(test_of(tried), test_of(live), Policy(), 1.0)
    assert not found.is_good
    assert any(re.search(reason, one) for one in found.reasons)


def test_a_training_that_fails_changes_nothing(archive, tmp_path, monkeypatch):
    until = filled(archive)
    registry = Registry(tmp_path / "models")
    keep(registry, train(archive, SPEC, POLICY, until=until), POLICY, at=AT)
    before = {path: path.read_bytes() for path in registry.root.rglob("*") if path.is_file()}

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("guardray.models.registry.write_durably", full)
    other = train(archive, SPEC, Policy(model="robust"), until=until)
    with pytest.raises(ModelError, match="No space left on device"):
        keep(registry, other, Policy(model="robust"), at=AT)
    assert {path: path.read_bytes() for path in registry.root.rglob("*") if path.is_file()} == before
    assert live_family(registry, SPEC) is not None
