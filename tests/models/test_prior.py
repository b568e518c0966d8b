"""The rows that come with the program."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from models.specs import FIRST, SPEC, measured, usual_features

from guardray.detectors.features import specs_of
from guardray.detectors.loader import load_detectors
from guardray.models.archive import Archive
from guardray.models.prior import PRIOR, PriorRows, prior_rows
from guardray.models.prior_build import ROWS, prior_of, written

SPECS = specs_of(load_detectors())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_each_spec_has_rows_of_all_its_features(spec):
    """If not: there are new features. `guardray.models.prior_build` says how to make the file anew."""
    rows = prior_rows(spec)
    assert len(rows) > 20
    assert rows.shape[1] == len(spec.names)
    assert np.isfinite(rows).all()
    assert (rows >= 0).all()


def test_a_spec_of_other_features_has_no_prior():
    assert prior_rows(SPEC).shape == (0, 4)


def test_the_file_has_a_row_a_line():
    lines = PRIOR.read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) < 1_500
    assert len(PRIOR.read_bytes()) < 300_000


def test_a_prior_is_made_of_rows_that_nothing_told_of(tmp_path):
    archive = Archive(tmp_path)
    features = usual_features(np.random.default_rng(0), 400)
    for at in range(10):
        rows = measured(features[at * 40 : at * 40 + 40], FIRST, who=str(at), first=at * 40)
        archive.add(SPEC, rows.with_columns(flagged=rows["digest"] % 40 == 0))
    made = prior_of(SPEC, [archive])
    assert len(made.rows) == ROWS
    again = msgspec.json.decode(written({SPEC.name: made}), type=dict[str, PriorRows])
    assert again == {SPEC.name: made}
    assert prior_of(SPEC, [Archive(tmp_path / "none")]) is None
