"""What holds for every model of the catalogue: a new one joins by being there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.specs import usual_features

from guardray.errors import UsageError
from guardray.models.catalogue import MAKERS, make
from guardray.models.model import as_matrix, shares

ROWS = 300


@pytest.fixture(scope="module")
def learned():
    rows = usual_features(np.random.default_rng(1), ROWS)
    return {name: make(name).fit(rows) for name in MAKERS}


@pytest.fixture(scope="module")
def asked():
    return usual_features(np.random.default_rng(2), 64) * 3


@pytest.mark.parametrize("name", MAKERS)
def test_a_score_does_not_depend_on_the_other_rows(name, learned, asked):
    model = learned[name]
    together = model.score(asked)
    assert np.array_equal(np.concatenate([model.score(asked[at : at + 1]) for at in range(len(asked))]), together)
    assert np.array_equal(model.score(asked[::-1])[::-1], together)
    assert np.array_equal(model.score(np.asfortranarray(asked)), together)


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_seed_gives_the_same_scores(name, asked):
    rows = usual_features(np.random.default_rng(1), ROWS)
    assert np.array_equal(make(name).fit(rows).score(asked), make(name).fit(rows).score(asked))


@pytest.mark.parametrize("name", MAKERS)
def test_planted_anomalies_rank_above_usual_rows(name, learned):
    usual = usual_features(np.random.default_rng(3), 200)
    planted = usual[:20] + np.array([8.0, 8.0, 8.0, 0.0])
    assert np.median(learned[name].score(planted)) > np.quantile(learned[name].score(usual), 0.95)


@pytest.mark.parametrize("name", MAKERS)
def test_a_column_that_never_changes_is_borne(name):
    rows = usual_features(np.random.default_rng(4), ROWS)
    rows[:, 1] = 0.0
    model = make(name).fit(rows)
    scores = model.score(np.vstack([rows[:5], np.full((1, 4), 20.0)]))
    assert np.isfinite(scores).all()
    assert np.isfinite(model.contributions(rows[:5])).all()


@pytest.mark.parametrize("name", MAKERS)
def test_contributions_are_shares(name, learned, asked):
    told = learned[name].contributions(asked)
    assert told.shape == asked.shape
    assert (told >= 0).all()
    assert np.allclose(told.sum(axis=1), 1)


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in ("ocsvm", "sampling", "loda")])
def test_the_first_contribution_is_the_feature_that_was_changed(name, learned):
    hits = []
    for feature in range(4):
        rows = np.zeros((20, 4))
        rows[:, feature] = 15.0
        hits.append(learned[name].contributions(rows).argmax(axis=1) == feature)
    assert np.mean(hits) >= 0.9


@pytest.mark.parametrize("name", MAKERS)
def test_a_score_of_many_features_does_not_depend_on_the_other_rows_either(name):
    """Where there are many, libraries multiply matrices, and round in another way for another number of rows."""
    rng = np.random.default_rng(6)
    rows, asked = (np.where(rng.random((many, 31)) < 0.5, rng.exponential(3.0, (many, 31)), 0) for many in (400, 130))
    model = make(name).fit(rows)
    together = model.score(asked)
    for size in (1, 3, 64):
        parts = [model.score(asked[at : at + size]) for at in range(0, len(asked), size)]
        assert np.array_equal(np.concatenate(parts), together)


@pytest.mark.parametrize("name", MAKERS)
def test_no_rows_have_no_scores(name, learned):
    assert learned[name].score(np.zeros((0, 4))).shape == (0,)


def test_a_name_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(UsageError, match=r"there is no model 'oracle'; there are .*robust"):
        make("oracle")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(-5, 50), min_size=3, max_size=3), min_size=1, max_size=20))
def test_shares_sum_to_one_and_are_not_negative(parts):
    told = shares(as_matrix(parts))
    assert (told >= 0).all()
    assert np.allclose(told.sum(axis=1), 1)


@pytest.mark.parametrize(("name", "module", "class_name"), [("ecod", "ecod", "ECOD"), ("copod", "copod", "COPOD")])
def test_empirical_models_say_what_pyod_says_of_a_batch_of_one(name, module, class_name, asked):
    import importlib

    rows = usual_features(np.random.default_rng(5), 80)
    theirs = getattr(importlib.import_module(f"pyod.models.{module}"), class_name)().fit(rows)
    alone = [theirs.decision_function(asked[at : at + 1])[0] for at in range(len(asked))]
    assert np.allclose(make(name).fit(rows).score(asked), alone)


def test_histograms_say_what_pyod_says(learned, asked):
    from pyod.models.hbos import HBOS

    rows = usual_features(np.random.default_rng(1), ROWS)
    theirs = HBOS().fit(rows)
    beyond = np.vstack([asked, np.full((1, 4), 100.0), np.full((1, 4), -100.0), rows[:20]])
    assert np.allclose(make("hbos").fit(rows).score(beyond), theirs.decision_function(beyond))


def test_random_sums_say_what_pyod_says(asked):
    from pyod.models.loda import LODA

    rows = usual_features(np.random.default_rng(1), ROWS)
    ours = make("loda", seed=3).fit(rows)
    theirs = LODA(random_state=3).fit(ours.usual.deviations(rows))
    # pyod takes the mean twice, which changes no order.
    of_theirs = theirs.decision_function(ours.usual.deviations(asked)) * len(ours.parts)
    assert np.allclose(ours.score(asked), of_theirs)
