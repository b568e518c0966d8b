"""A candidate beside the version in force, and what happens when a version tells of far too much."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from models.specs import ACCOUNT, FIRST, SPEC, filled, measured
from models.test_registry import card_of, family_of

from guardray.models.archive import Archive
from guardray.models.registry import Registry
from guardray.models.shadow import differences, shadow
from guardray.models.surge import is_surge, roll_back_on_surge

AT = datetime(2026, 3, 30, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def live():
    return family_of()


@pytest.fixture(scope="module")
def stricter(live):
    own = live.accounts[ACCOUNT]
    return replace(live, accounts={ACCOUNT: replace(own, threshold=own.threshold * 2)})


ROWS = pl.concat(
    [measured(np.full((1, 4), height), FIRST, who=who) for who, height in (("calm", 0.0), ("odd", 2.0), ("wild", 20.0))]
)


def test_what_appears_vanishes_and_stays_is_told_of(live, stricter, tmp_path):
    archive = Archive(tmp_path)
    archive.add(SPEC, ROWS)
    rows = archive.read(SPEC)
    assert dict(differences(live, stricter, SPEC, rows).select("whose", "change").rows()) == {
        "odd": "vanishes",
        "wild": "stays",
    }
    assert differences(stricter, live, SPEC, rows)["change"].to_list() == ["appears", "stays"]
    assert differences(live, live, SPEC, rows)["change"].to_list() == ["stays", "stays"]


@pytest.fixture
def place(tmp_path, live, stricter):
    """A registry with one version in force and a stricter one that waits, and an archive."""
    registry, archive = Registry(tmp_path / "models"), Archive(tmp_path / "archive")
    registry.add(live, card_of("one"))
    registry.promote(SPEC.name, "one", at=AT, by="somebody")
    registry.add(stricter, card_of("two"))
    return registry, archive


def on(day):
    """What there is to see on a day: a principal as usual, one beyond the threshold in force, one beyond both."""
    heights = (("calm", 0.0), ("odd", 2.0), ("wild", 20.0))
    return pl.concat([measured(np.full((1, 4), height), day, who=who) for who, height in heights])


def test_a_version_that_waits_is_seen_beside_the_one_in_force_on_days_that_neither_learned(place):
    registry, archive = place
    learned = date.fromisoformat(card_of("two").until)
    for day in (learned, learned + timedelta(days=1), learned + timedelta(days=2)):
        archive.add(SPEC, on(day))
    seen = shadow(registry, archive, SPEC)
    assert (seen.live, seen.candidate, seen.since, seen.until) == (
        "one",
        "two",
        learned + timedelta(days=1),
        learned + timedelta(days=2),
    )
    assert str(seen).endswith("0 appear, 2 vanish, 2 stay")
    assert registry.promotions().in_force == {SPEC.name: "one"}


def test_without_a_day_since_or_a_version_that_waits_there_is_nothing_to_see(place):
    registry, archive = place
    assert shadow(registry, archive, SPEC) is None
    learned = date.fromisoformat(card_of("two").until)
    archive.add(SPEC, on(learned))
    assert shadow(registry, archive, SPEC) is None
    archive.add(SPEC, on(learned + timedelta(days=1)))
    registry.promote(SPEC.name, "two", at=AT, by="somebody")
    assert shadow(registry, archive, SPEC) is None


def test_a_version_that_was_rolled_back_does_not_wait(place):
    registry, archive = place
    archive.add(SPEC, on(date.fromisoformat(card_of("two").until) + timedelta(days=1)))
    registry.promote(SPEC.name, "two", at=AT, by="somebody")
    registry.roll_back(SPEC.name, at=AT, by="somebody")
    assert shadow(registry, archive, SPEC) is None


@pytest.mark.parametrize(
    ("findings", "days", "surge"),
    [(0, 7, False), (4, 0.5, False), (12, 7, False), (40, 7, True), (14, 1, True), (70, 49, False)],
)
def test_a_surge_is_beyond_chance_and_beyond_twice_the_budget(findings, days, surge):
    """Five accounts with a budget of one a week each: five findings a week are allowed, ten expected at most."""
    assert is_surge(findings, accounts=5, days=days, budget=1.0) == surge


@pytest.fixture
def registry(tmp_path):
    registry = Registry(tmp_path / "models")
    for seed, version in enumerate(("one", "two")):
        registry.add(family_of(seed=seed), card_of(version))
        registry.promote(SPEC.name, version, at=AT, by="somebody")
    return registry


def test_a_version_that_tells_of_far_too_much_is_rolled_back_and_it_is_said_why(registry):
    done = roll_back_on_surge(registry, SPEC.name, 40, accounts=1, days=2, at=AT)
    assert (done.version, done.before, done.by) == ("one", "two", "trainer")
    assert done.reason == "40 findings in 2 days of 1 accounts, where 1.00 a week are allowed"
    assert registry.promotions().in_force == {SPEC.name: "one"}


def test_a_few_findings_and_a_first_version_are_left_alone(registry):
    assert roll_back_on_surge(registry, SPEC.name, 3, accounts=1, days=2, at=AT) is None
    registry.roll_back(SPEC.name, at=AT, by="somebody")
    assert roll_back_on_surge(registry, SPEC.name, 400, accounts=1, days=2, at=AT) is None
    assert roll_back_on_surge(registry, "nothing", 400, accounts=1, days=2, at=AT) is None


def test_an_archive_without_rows_has_no_differences(live, tmp_path):
    archive = Archive(tmp_path)
    filled(archive, days=1)
    assert differences(live, live, SPEC, archive.read(SPEC).clear()).is_empty()
