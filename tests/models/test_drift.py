"""Whether rows are still what was learned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models.specs import ACCOUNT, OTHER, SPEC, filled, measured, usual_features

from guardray.models.archive import Archive
from guardray.models.back_test import would_find
from guardray.models.drift import drift, psi
from guardray.models.policy import Policy
from guardray.models.registry import Registry
from guardray.models.training import keep, live_family, train

AT = datetime(2026, 3, 30, 12, tzinfo=UTC)
POLICY = Policy(model="tails", by_hand=False)
WEEK = 7


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "archive")


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models")


def trained(archive, registry):
    until = filled(archive)
    assert keep(registry, train(archive, SPEC, POLICY, until=until), POLICY, at=AT)
    return until


def changed(archive, first, days: int, account: str = ACCOUNT, seed: int = 7) -> None:
    """Days on which an account calls new operations at new hours all the time, as with a new way of working."""
    rng = np.random.default_rng(seed)
    for at in range(days):
        for who in ("alice", "bob"):
            features = usual_features(rng, 8)
            features[:, 1] += 4 + rng.exponential(1.0, 8)
            features[:, 3] += 3 + rng.exponential(1.0, 8)
            archive.add(SPEC, measured(features, first + timedelta(days=at), account, who))


def as_before(archive, first, days: int, account: str, seed: int = 8) -> None:
    rng = np.random.default_rng(seed)
    for at in range(days):
        for who in ("alice", "bob"):
            archive.add(SPEC, measured(usual_features(rng, 8), first + timedelta(days=at), account, who))


@given(st.lists(st.floats(0, 100), min_size=20, max_size=200))
def test_equal_distributions_have_no_index(numbers):
    assert psi(np.array(numbers), np.array(numbers)) == 0


def test_the_index_grows_with_the_shift():
    rng = np.random.default_rng(0)
    learned = rng.normal(size=1000)
    indices = [psi(learned, rng.normal(shift, size=1000)) for shift in (0.0, 0.5, 1.0, 2.0)]
    assert indices == sorted(indices)
    assert indices[0] < 0.1 < 0.25 < indices[2]


def test_an_account_that_works_in_a_new_way_has_drifted_and_the_other_has_not(archive, registry):
    until = trained(archive, registry)
    changed(archive, until + timedelta(days=1), WEEK)
    as_before(archive, until + timedelta(days=1), WEEK, OTHER)
    learned, recent = archive.read(SPEC, until=until), archive.read(SPEC, since=until + timedelta(days=1))
    found = {one.account: one for one in drift(live_family(registry, SPEC), SPEC, learned, recent)}
    assert (found[ACCOUNT].is_drifted, found[OTHER].is_drifted) == (True, False)
    assert found[ACCOUNT].worst[0] in ("operation", "hour")


def test_a_few_rows_are_not_judged(archive, registry):
    until = trained(archive, registry)
    archive.add(SPEC, measured(np.full((5, 4), 15.0), until + timedelta(days=1)))
    learned, recent = archive.read(SPEC, until=until), archive.read(SPEC, since=until + timedelta(days=1))
    assert drift(live_family(registry, SPEC), SPEC, learned, recent) == []


def test_a_drifted_account_is_trained_again_and_its_false_positives_fall(archive, registry):
    until = trained(archive, registry)
    first, before = until + timedelta(days=1), live_family(registry, SPEC)
    changed(archive, first, WEEK)
    today = first + timedelta(days=WEEK - 2)
    learned, recent = archive.read(SPEC, until=until), archive.read(SPEC, since=first, until=today)
    assert [one.account for one in drift(before, SPEC, learned, recent) if one.is_drifted] == [ACCOUNT]
    after = train(archive, SPEC, POLICY, until=today).family
    later = Archive(archive.root.with_name("later"))
    changed(later, first + timedelta(days=WEEK), WEEK, seed=99)
    found = [would_find(family, SPEC, later.read(SPEC)).height for family in (before, after)]
    assert found[1] <= found[0] / 3
