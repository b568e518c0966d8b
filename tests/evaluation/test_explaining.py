"""Of a usual row of which one feature was raised, that feature is named first."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from models.specs import FIRST, NAMES, SPEC, filled, measured, usual_features

from guardray.detectors.features import specs_of
from guardray.detectors.loader import load_detectors
from guardray.evaluation.explaining import ROWS, explained, explanations, share
from guardray.models.archive import Archive
from guardray.models.catalogue import DEFAULT, make
from guardray.models.family import AccountModel, Family
from guardray.models.fitted import Fitted
from guardray.models.policy import Policy
from guardray.models.prior import prior_rows
from guardray.models.training import train

LEAST = 0.9


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    archive = Archive(tmp_path_factory.mktemp("archive"))
    filled(archive)
    return archive


@pytest.mark.parametrize("model", [DEFAULT, "tails", "robust"])
def test_what_was_raised_is_named_first_by_models_of_an_account(archive, model):
    family = train(archive, SPEC, Policy(model=model), until=max(archive.days(SPEC))).family
    rows = measured(usual_features(np.random.default_rng(8), 200), FIRST)
    found = explained(family, SPEC, rows)
    assert [(one.feature, one.rows) for one in found] == [(name, ROWS) for name in NAMES]
    assert share(found) >= LEAST, found


@pytest.mark.parametrize("spec", specs_of(load_detectors()), ids=lambda spec: spec.name)
def test_what_was_raised_is_named_first_by_the_models_that_come_with_the_program(spec):
    usual = prior_rows(spec)
    common = Fitted.of(make(DEFAULT), usual)
    family = Family(spec.name, spec.definition, spec.names, common, otherwise=AccountModel(None, 0.0, 5.0, 0, 0))
    rows = pl.DataFrame(usual, schema=list(spec.names)).with_columns(pl.lit("111122223333").alias(spec.whose[0]))
    found = explained(family, spec, rows)
    assert share(found) >= LEAST, explanations({DEFAULT: found})


def test_nothing_is_said_of_accounts_without_a_model_and_of_no_rows():
    family = Family(SPEC.name, SPEC.definition, SPEC.names, Fitted.of(make("tails"), np.zeros((1, len(NAMES)))))
    rows = measured(usual_features(np.random.default_rng(8), 5), FIRST)
    assert explained(family, SPEC, rows) == explained(family, SPEC, rows.clear()) == []
