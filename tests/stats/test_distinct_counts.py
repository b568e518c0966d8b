"""How close the estimates of distinct values come, against their theory."""

from __future__ import annotations

import math

import numpy as np
import pytest

from guardray.stats.bitmap import Bitmap
from guardray.stats.hyperloglog import HyperLogLog
from guardray.stats.summary import Summary

TRIALS = 300


def estimates(summary: Summary, distinct: int) -> np.ndarray:
    """Estimates for as many sets as there are trials, of different values each, every value seen twice."""
    summary.resize(TRIALS)
    rows = np.repeat(np.arange(TRIALS), distinct)
    values = np.arange(TRIALS * distinct)
    for _ in range(2):
        summary.update(rows, values)
    return summary.read(np.arange(TRIALS)).astype(float)


@pytest.mark.parametrize("distinct", [10, 100, 2000, 20_000])
def test_hyperloglog_is_unbiased_and_its_error_is_that_of_the_theory(distinct: int):
    relative = estimates(HyperLogLog(8), distinct) / distinct - 1
    standard_error = 1.04 / math.sqrt(2**8)  # 6.5 %
    assert abs(relative.mean()) < 4 * standard_error / math.sqrt(TRIALS)
    assert relative.std() < 1.15 * standard_error


@pytest.mark.parametrize("distinct", [10, 100, 500, 1500])
def test_the_bias_and_the_error_of_a_bitmap_are_those_of_the_theory(distinct: int):
    """With load t = n / m: error sqrt(m * (exp(t) - t - 1)) / n, bias (exp(t) - t - 1) / (2 * n) (Whang et al.)."""
    relative = estimates(Bitmap(512), distinct) / distinct - 1
    load = distinct / 512
    spread = math.exp(load) - load - 1
    standard_error = math.sqrt(512 * spread) / distinct
    bias = spread / (2 * distinct)
    rounding = 0.5 / distinct
    assert abs(relative.mean() - bias) < 4 * standard_error / math.sqrt(TRIALS) + rounding
    assert relative.std() < 1.2 * standard_error


def test_small_sets_are_counted_exactly_when_no_two_values_share_a_bit():
    bitmap = Bitmap(512)
    bitmap.resize(1)
    for seen, value in enumerate([3, 5, 8], start=1):
        bitmap.update(np.array([0]), np.array([value]))
        assert bitmap.read(np.array([0])).tolist() == [seen]


def test_the_estimate_of_a_bitmap_grows_to_the_last_bit():
    bitmap = Bitmap(64)
    bitmap.resize(65)
    for row in range(65):
        bitmap.state[row] = (1 << row) - 1 if row < 64 else 2**64 - 1
    read = bitmap.read(np.arange(65))
    assert (np.diff(read) > 0).all()
    assert read[-1] == round(64 * math.log(128))


@pytest.mark.parametrize("bits", [0, 100, -64])
def test_a_bitmap_of_odd_size_is_refused(bits: int):
    with pytest.raises(ValueError, match=str(bits)):
        Bitmap(bits)


@pytest.mark.parametrize("precision", [3, 17])
def test_a_hyperloglog_of_odd_precision_is_refused(precision: int):
    with pytest.raises(ValueError, match=str(precision)):
        HyperLogLog(precision)


def test_an_empty_hyperloglog_reads_as_zero():
    summary = HyperLogLog(4)
    summary.resize(1)
    assert summary.read(np.array([0])).tolist() == [0.0]
