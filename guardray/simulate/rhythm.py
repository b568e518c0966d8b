"""When things happen: random times that follow the hours of a day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from guardray.simulate.period import DAY, HOUR, Period

# Share of an average hour, by local hour: a shop's visitors, and machines that hardly sleep.
VISITORS = np.array(
    [
        0.3,
        0.2,
        0.15,
        0.12,
        0.12,
        0.2,
        0.4,
        0.7,
        1.0,
        1.2,
        1.3,
        1.4,
        1.5,
        1.4,
        1.35,
        1.3,
        1.3,
        1.4,
        1.5,
        1.7,
        1.8,
        1.5,
        1.0,
        0.6,
    ]
)
MACHINES = np.array([0.8] * 6 + [1.0] * 4 + [1.25] * 9 + [1.0] * 5)
STEADY = np.ones(24)


def local_hour(time: float, offset_h: int) -> float:
    """Hour of the day from 0 up to 24 at this many hours from UTC."""
    return ((time / HOUR) + offset_h) % 24


def is_weekend(time: float, offset_h: int) -> bool:
    """True on Saturday and Sunday there. The epoch began on a Thursday."""
    return int((time + offset_h * HOUR) // DAY + 3) % 7 >= 5


def times(
    rng: np.random.Generator, per_hour: float, piece: Period, weights: NDArray[np.float64] = STEADY, offset_h: int = 0
) -> NDArray[np.float64]:
    """Sorted epoch seconds of independent events at `per_hour` times the weight of each local hour: float64 [n]."""
    starts = np.arange(piece.start, piece.end, HOUR)
    lengths = np.minimum(starts + HOUR, piece.end) - starts
    means = per_hour * weights[((starts // HOUR + offset_h) % 24).astype(np.int64)] * lengths / HOUR
    counts = rng.poisson(means)
    found = np.repeat(starts, counts) + rng.random(int(counts.sum())) * np.repeat(lengths, counts)
    return np.sort(found)
