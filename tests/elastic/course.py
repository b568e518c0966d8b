"""How a service and its cluster followed a load step, whether they followed it both ways, and the picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("svg")
mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "guardray", "font.size": 9, "axes.spines.top": False}

from matplotlib import pyplot as plt  # noqa: E402 - after the backend is chosen

PARTS = {"workers": "ingest workers", "replicas": "detector replicas", "nodes": "nodes"}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How all stood at a time.

    Attributes:
        at_s: since the first load.
        objects_per_s: that were delivered.
        callers: that ask the detector pool without a pause.
        backlog: objects that wait or are not acknowledged.
        workers, replicas, nodes: that there are.
    """

    at_s: float
    objects_per_s: float
    callers: int
    backlog: int
    workers: int
    replicas: int
    nodes: int


def failures(samples: Sequence[Sample]) -> list[str]:
    """What did not grow with the load, or did not shrink to what it was before it."""
    found = []
    for part, words in PARTS.items():
        counts = [getattr(one, part) for one in samples]
        before, most, after = counts[0], max(counts, default=0), counts[-1]
        if most <= before:
            found.append(f"{words} did not grow with the load: there were {before}, and never more")
        elif after > before:
            found.append(
                f"{words} did not shrink after the load: there were {before}, then {most}, and {after} are left"
            )
    return found


def draw(samples: Sequence[Sample], to: Path) -> None:
    """Write the picture, as SVG."""
    figure, (load, counts) = plt.subplots(2, 1, figsize=(8, 5.5), sharex=True, layout="constrained")
    minutes = np.array([one.at_s / 60 for one in samples])
    load.plot(minutes, [one.objects_per_s for one in samples], label="objects a second")
    load.plot(minutes, [one.callers for one in samples], label="callers of the pool")
    load.set_ylabel("load")
    waiting = load.twinx()
    waiting.plot(minutes, [one.backlog for one in samples], color="0.6", linewidth=1, label="objects not done")
    waiting.set_ylabel("objects not done")
    handles = [*load.get_legend_handles_labels()[0], *waiting.get_legend_handles_labels()[0]]
    load.legend(handles=handles, loc="upper right", frameon=False)
    for part, words in PARTS.items():
        counts.step(minutes, [getattr(one, part) for one in samples], where="post", label=words)
    counts.set_ylabel("count")
    counts.set_xlabel("minutes")
    counts.yaxis.get_major_locator().set_params(integer=True)
    counts.legend(loc="upper right", frameon=False)
    for axes in (load, waiting, counts):
        axes.set_ylim(bottom=0)
    figure.savefig(to, metadata={"Date": None})
    plt.close(figure)
