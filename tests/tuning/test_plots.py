"""Figures show what they were given."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

from guardray.tuning import plots
from guardray.tuning.changes import counted


def changed(*kinds):
    return pd.DataFrame(
        {
            "change": list(kinds),
            "was": ["attack"] * len(kinds),
            "first_seen": pd.to_datetime(["2026-01-20T10:00:00Z"] * len(kinds), utc=True),
        }
    )


def drawn(figure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    return figure.axes


def test_findings_that_vanish_are_below_the_line():
    (axes,) = drawn(plots.changes(changed("appears", "appears", "vanishes")))
    assert sorted(bar.get_height() for bar in axes.patches) == [-1, 2]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["appears", "vanishes"]


def test_where_nothing_was_found_nothing_is_drawn():
    (axes,) = drawn(plots.changes(changed()))
    assert list(axes.patches) == []


def test_changes_are_counted_with_all_three_kinds():
    found = counted(changed("appears", "appears"))
    assert found.loc["attack"].to_dict() == {"appears": 2, "vanishes": 0, "stays": 0}
    assert counted(changed()).empty


@pytest.mark.parametrize("names", [1, 4, 5])
def test_each_feature_has_a_plot_of_its_own(names):
    rows = pd.DataFrame({f"feature {number}": [0.0, 1.0, 5.0] for number in range(names)})
    axes = drawn(plots.features(rows, list(rows.columns), rows.iloc[2]))
    assert [one.get_title() for one in axes if one.axison] == list(rows.columns)


def test_a_curve_has_a_mark_at_the_threshold_that_was_drawn():
    curve = pd.DataFrame(
        {"threshold": [2.0, 1.0, 0.5], "false": [0.0, 0.5, 2.0], "recall": [0.1, 0.4, 1.0], "precision": [1, 0.5, 0.2]}
    )
    left, _ = drawn(plots.budgets({"robust": curve}, 1.0, "attacks"))
    marks = [line for line in left.lines if line.get_marker() == "o"]
    assert [(*line.get_xdata(), *line.get_ydata()) for line in marks] == [(0.5, 0.4)]
