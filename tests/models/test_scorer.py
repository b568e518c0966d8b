"""What the dataflow gets of a scorer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.specs import ACCOUNT, FIRST, NAMES, OTHER, SPEC, measured, usual_features

from guardray.models.catalogue import make
from guardray.models.family import AccountModel, Family
from guardray.models.fitted import Fitted
from guardray.models.scorer import COLUMNS, LocalScorer, ModelSet

STRANGER = "999988887777"


@pytest.fixture(scope="module")
def family():
    rows = usual_features(np.random.default_rng(1), 300)
    common = Fitted.of(make("shipped"), rows)
    own = AccountModel(Fitted.of(make("shipped"), rows * 2), 0.5, 4.0, 14, 300)
    return Family(SPEC.name, SPEC.definition, NAMES, common, {ACCOUNT: own, OTHER: AccountModel(None, 0.9, 2.0, 7, 0)})


@pytest.fixture(scope="module")
def scorer(family):
    return LocalScorer(ModelSet({SPEC.name: family}, {SPEC.name: "one"}))


@pytest.fixture(scope="module")
def rows():
    features = usual_features(np.random.default_rng(2), 30) * 4
    return pl.concat([measured(features, FIRST, account) for account in (ACCOUNT, OTHER, STRANGER)])


def test_each_row_has_its_score_and_its_reasons(scorer, rows):
    scores = scorer.score(SPEC, rows)
    assert scores.schema == pl.Schema(COLUMNS)
    assert scores.height == rows.height
    known = rows["cloud_account_uid"] != STRANGER
    assert scores["anomaly"].is_not_null().to_list() == known.to_list()
    assert scores.filter(~known)["contributions"].list.len().to_list() == [0] * 30


def test_reasons_are_named_largest_first(scorer, rows):
    changed = rows.head(1).with_columns(
        country=pl.lit(20.0), operation=pl.lit(3.0), calls=pl.lit(0.0), hour=pl.lit(0.0)
    )
    told = scorer.score(SPEC, changed)["contributions"][0].to_list()
    assert [one["feature"] for one in told] == ["country", "operation"]
    assert told[0]["share"] > told[1]["share"]
    assert sum(one["share"] for one in told) == pytest.approx(1, abs=1e-3)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 89), min_size=1, max_size=90))
def test_a_row_gets_the_same_in_any_batch(scorer, rows, chosen):
    whole = scorer.score(SPEC, rows)
    assert scorer.score(SPEC, rows[chosen]).equals(whole[chosen])


def test_the_threshold_of_each_account_is_its_own(family, scorer, rows):
    of_other = rows.filter(pl.col("cloud_account_uid") == OTHER)
    scores = scorer.score(SPEC, of_other)["anomaly"].to_numpy()
    surprisal = family.common.surprisal(of_other.select(NAMES).to_numpy())
    assert np.allclose(scores, surprisal / 2.0, atol=1e-6)


def test_no_rows_have_no_scores(scorer, rows):
    assert scorer.score(SPEC, rows.clear()).schema == pl.Schema(COLUMNS)


def test_an_account_without_a_model_is_judged_as_all_are_where_that_is_known(family, rows):
    with_others = replace(family, otherwise=AccountModel(None, 0.0, 3.0, 0, 0))
    scores = LocalScorer(ModelSet({SPEC.name: with_others}, {SPEC.name: "one"})).score(SPEC, rows)
    assert scores["anomaly"].null_count() == 0


def test_models_of_another_definition_say_nothing(family, rows):
    other = replace(family, definition="f" * 32)
    scores = LocalScorer(ModelSet({SPEC.name: other}, {SPEC.name: "one"})).score(SPEC, rows)
    assert scores["anomaly"].null_count() == rows.height


def test_a_null_account_is_not_scored(scorer, rows):
    unknown = rows.head(2).with_columns(cloud_account_uid=pl.Series([None, ACCOUNT], dtype=pl.String))
    assert scorer.score(SPEC, unknown)["anomaly"].is_null().to_list() == [True, False]


def test_the_version_changes_with_that_of_any_model(family):
    families = {"a": family, "b": family}
    versions = {LocalScorer(ModelSet(families, {"a": a, "b": "1"})).version for a in "123"}
    assert len(versions) == 3
    assert LocalScorer(ModelSet({}, {})).version == "none"
