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


def budgets(curves: dict[str, pd.DataFrame], budget: float, of: str) -> Figure:
    """Recall over the false findings that it costs, and precision over recall, a line a model.

    The dotted line is the budget; a mark is where the threshold is that training drew.

    Args:
        curves: by title, what `guardray.tuning.curves.curve` gave.
        of: what recall is of, in words.
    """
    figure = _figure(11, 4)
    left, right = figure.subplots(1, 2)
    for number, (title, frame) in enumerate(curves.items()):
        colour, style = f"C{number % 10}", ("-", "--", ":", "-.")[number % 4]  # so that equal ones show
        left.step(frame["false"], frame["recall"], style, where="post", color=colour, label=title, linewidth=1.6)
        drawn = frame[frame["threshold"] >= 1].iloc[-1]
        left.plot(drawn["false"], drawn["recall"], "o", color=colour, markersize=5, clip_on=False)
        right.plot(frame["recall"], frame["precision"], style, color=colour, linewidth=1.6)
    left.axvline(budget, color="grey", linestyle=":")
    left.set(xlim=(0, 6 * budget), ylim=(0, 1.02), xlabel="false findings an account and week", ylabel=f"share of {of}")
    right.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel=f"share of {of}", ylabel="precision")
    figure.legend(loc="outside right center", fontsize=8)
    return figure


def changes(frame: pd.DataFrame) -> Figure:
    """Which findings appear and which vanish, by the day on which they were first seen.

    Args:
        frame: what `guardray.tuning.changes.changes` gave.
    """
    from matplotlib.ticker import MaxNLocator

    figure = _figure(9, 3)
    axes = figure.subplots()
    days = frame["first_seen"].dt.date
    for change, colour, sign in (("stays", "lightgrey", 1), ("appears", "steelblue", 1), ("vanishes", "crimson", -1)):
        many = days[frame["change"] == change].value_counts()
        if len(many):
            axes.bar(many.index, sign * many, color=colour, label=change, width=0.8 if change == "stays" else 0.5)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_ylabel("findings")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    if len(frame):
        axes.legend(fontsize=8)
    _days_below(axes)
    return figure
