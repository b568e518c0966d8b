"""A soak as a picture: memory by kind of process, what waits, and how long findings took."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from tests.soak.verdict import LATENCY_GOAL_S, WARM_UP, Course, Sample

mpl.use("svg")
mpl.rcParams |= {
    "svg.fonttype": "none",
    "svg.hashsalt": "guardray",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

from matplotlib import pyplot as plt  # noqa: E402 - after the backend is chosen

_KINDS = {
    "Ray": ("gcs_server", "raylet", "ray", "dashboard", "agent", "main.py", "log_monitor", "monitor"),
    "Serve": ("ray::ServeController", "ray::ProxyActor", "ray::HAProxy", "haproxy"),
    "API": ("ray::ServeReplica",),
    "detector pools": ("ray::ServeReplica:detectors",),
    "guardray serve": ("guardray",),
    "trainer": ("ray::TrainerActor", "ray::_run_training"),
    "coordinator": ("ray::CoordinatorActor",),
    "shards": ("ray::ServiceShardActor",),
    "ingest workers": ("ray::ServiceIngestActor",),
}
"""Beginnings of the names of processes; the longest that fits counts."""

OTHER = "other"


def kind_of(process: str) -> str:
    """What a process is, by its name."""
    fitting = [(len(start), kind) for kind, starts in _KINDS.items() for start in starts if process.startswith(start)]
    return max(fitting, default=(0, OTHER))[1]


def draw(course: Course, to: Path) -> None:
    """Write the picture of a soak, as SVG or by the suffix of the file."""
    figure, (memory, waiting, latency) = plt.subplots(3, 1, figsize=(8, 7.5), sharex=True, layout="constrained")
    minutes = np.array([one.at_s / 60 for one in course.samples])
    _draw_memory(memory, minutes, course.samples)
    _draw_waiting(waiting, minutes, course.samples)
    _draw_latency(latency, course)
    for axes in (memory, waiting, latency):
        axes.axvspan(0, minutes[-1] * WARM_UP, color="0.95", zorder=0)
        axes.set_ylim(bottom=0)
    latency.set_xlabel("minutes since the load began; grey: warm-up, not judged")
    figure.savefig(to, metadata={"Date": None})
    plt.close(figure)


def _draw_memory(axes: plt.Axes, minutes: np.ndarray, samples: list[Sample]) -> None:
    kinds = [*_KINDS, OTHER]
    by_kind = {kind: np.zeros(len(samples)) for kind in kinds}
    for index, one in enumerate(samples):
        for name, megabytes in one.pss_mb.items():
            by_kind[kind_of(name)][index] += megabytes
    shown = {kind: row for kind, row in by_kind.items() if row.any()}
    axes.stackplot(minutes, *shown.values(), labels=shown, alpha=0.85)
    axes.plot(minutes, [one.state_mb for one in samples], "k:", linewidth=1, label="of it state")
    axes.set_ylabel("memory (PSS), MB")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, reverse=True)


def _draw_waiting(axes: plt.Axes, minutes: np.ndarray, samples: list[Sample]) -> None:
    axes.plot(minutes, [one.backlog for one in samples], label="objects not done")
    axes.plot(minutes, [one.pending for one in samples], label="sightings not final")
    axes.plot(minutes, [np.nan if one.oldest_s is None else one.oldest_s for one in samples], label="oldest object, s")
    axes.set_ylabel("waiting")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def _draw_latency(axes: plt.Axes, course: Course) -> None:
    at, took = np.array(course.latencies or [(0.0, 0.0)]).T
    axes.plot(at / 60, took, ".", markersize=3, color="C0", label="a finding")
    for share, style in ((0.5, "-"), (0.95, "--")):
        if (seconds := course.latency(share)) is not None:
            axes.axhline(seconds, linestyle=style, color="C3", label=f"p{share * 100:.0f} {seconds:.1f} s")
    axes.axhline(LATENCY_GOAL_S, linestyle=":", color="0.4", label=f"goal {LATENCY_GOAL_S:.0f} s")
    axes.set_ylabel("object to finding, s")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
