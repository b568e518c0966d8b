"""The model is at least as good as it was, on families of generators that it never saw."""

from __future__ import annotations

import polars as pl
import pytest

from .measured import WAYS, means, measure

pytestmark = pytest.mark.data

FLOORS = {"auc": 0.96, "recall_0.1%": 0.33, "recall_1%": 0.75, "recall_3%": 0.84}
"""Means over families; docs/names-model.md has what was measured."""


@pytest.fixture(scope="module")
def table(shared_data) -> pl.DataFrame:
    return measure(shared_data / "domains")


def test_every_family_is_measured_in_every_way(table):
    assert table["family"].n_unique() == 28
    assert table.group_by("family").agg(pl.col("way").n_unique())["way"].unique().to_list() == [len(WAYS)]


@pytest.mark.parametrize("figure", FLOORS)
def test_the_model_keeps_its_floor(table, figure):
    ((value,),) = means(table, "way").filter(pl.col("way") == "model").select(figure).rows()
    assert value >= FLOORS[figure]


def test_the_model_is_better_than_entropy_in_every_fold(table):
    by_fold = means(table, "fold", "way").pivot("way", index="fold", values="auc")
    assert (by_fold["model"] > by_fold["entropy"] + 0.1).all()
