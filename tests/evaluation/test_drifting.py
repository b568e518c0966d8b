"""A drifted account is trained anew, and what is told of it wrongly falls."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
from models.specs import FIRST, NAMES, SPEC, measured, usual_features

from guardray.evaluation.drifting import LEARNED_WEEKS, drift_table, weeks
from guardray.models.policy import Policy

CHANGED_FROM, WEEKS = 6, 11
POLICY = Policy(model="tails")


def rows_of(changed_from: int) -> pl.DataFrame:
    """An account of three people, who from a week on work at other hours and call more than they did."""
    rng, parts = np.random.default_rng(3), []
    for day in range(7 * WEEKS):
        for who in ("alice", "bob", "carol"):
            features = usual_features(rng, 8)
            if day >= 7 * changed_from:
                features[:, NAMES.index("hour")] += rng.gamma(4.0, 1.0, 8)
                features[:, NAMES.index("calls")] *= 3
            parts.append(measured(features, FIRST + timedelta(days=day), who=who))
    return pl.concat(parts)


def test_false_findings_of_an_account_that_has_changed_for_good_fall_once_drift_trains_its_models_anew():
    found = weeks(SPEC, rows_of(CHANGED_FROM), FIRST, POLICY)
    before = [one for one in found if one.number < CHANGED_FROM]
    changed, later = found[len(before)], found[len(before) + 3 :]
    assert not any(one.drifted for one in before)
    assert changed.drifted in ("hour", "calls")
    assert changed.kept == changed.renewed > 2
    assert sum(one.renewed for one in later) < sum(one.kept for one in later) / 3


def test_models_of_an_account_that_stays_as_it_is_are_not_trained_for_drift():
    found = weeks(SPEC, rows_of(WEEKS), FIRST, POLICY)
    assert [one.number for one in found] == list(range(LEARNED_WEEKS, WEEKS))
    assert all(one.kept == one.renewed and not one.drifted for one in found)
    assert drift_table(found).count("\n") == len(found) + 1
