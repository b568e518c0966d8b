"""Plots of what notebooks look at. Each gives a matplotlib figure, which a notebook shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # takes long to import, and only notebooks need it

    return Figure(figsize=(width, height), layout="constrained")


def _days_below(axes: Axes) -> None:
    from matplotlib.dates import DateFormatter

    axes.xaxis.set_major_formatter(DateFormatter("%d %b"))  # type: ignore[no-untyped-call]
    axes.tick_params(axis="x", labelsize=8)


def hours(of: dict[str, pd.DataFrame]) -> Figure:
    """When somebody is active: a weekday a line, an hour (UTC) a column, darker the more days had anything in it.

    Args:
        of: by title, what `Profiles.hours` gave.
    """
    figure = _figure(5.5 * len(of), 2.6)
    for axes, (title, frame) in zip(figure.subplots(1, len(of), squeeze=False)[0], of.items(), strict=True):
        axes.imshow(frame.to_numpy(), aspect="auto", cmap="Blues", vmin=0)
        axes.set_xticks(range(0, 24, 3), [f"{hour:02}" for hour in range(0, 24, 3)])
        axes.set_yticks(range(7), list(frame.index))
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("hour (UTC)")
    return figure


def features(rows: pd.DataFrame, names: list[str], marked: pd.Series | None = None) -> Figure:
    """How each feature is distributed, how many rows on a logarithmic scale.

    Args:
        rows: of the archive.
        names: of features, those to show.
        marked: one row's values by feature, drawn as a line.
    """
    columns = 4
    lines = -(-len(names) // columns)
    figure = _figure(11, 1.7 * lines)
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, name in zip(grid, names, strict=False):
        axes.hist(rows[name], bins=30, color="steelblue", log=True)
        if marked is not None:
            axes.axvline(marked[name], color="crimson")
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
    for axes in grid[len(names) :]:
        axes.set_axis_off()
    return figure


def anomalies(days: pd.DataFrame) -> Figure:
    """How unusual principals' days were over time; the line is the threshold.

    Args:
        days: what `unusual` gave.
    """
    figure = _figure(9, 3)
    axes = figure.subplots()
    for told, colour, label in ((False, "steelblue", "nothing told"), (True, "crimson", "a finding told of it")):
        chosen = days[days["flagged"] == told]
        axes.scatter(chosen["day"], chosen["anomaly"], s=14, color=colour, label=label)
    axes.axhline(1.0, color="grey", linestyle=":")
    axes.set_ylabel("anomaly")
    axes.legend(fontsize=8)
    _days_below(axes)
    return figure
