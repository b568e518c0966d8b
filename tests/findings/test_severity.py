"""Severity bands."""

from __future__ import annotations

import pytest

from guardray.errors import UsageError
from guardray.findings.severity import Severity


@pytest.mark.parametrize(
    ("number", "band"),
    [
        (1.0, Severity.LOW),
        (3.9, Severity.LOW),
        (4.0, Severity.MEDIUM),
        (6.9, Severity.MEDIUM),
        (7.0, Severity.HIGH),
        (8.9, Severity.HIGH),
        (9.0, Severity.CRITICAL),
        (10.0, Severity.CRITICAL),
    ],
)
def test_a_number_falls_in_its_band(number, band):
    assert Severity.of(number) is band


@pytest.mark.parametrize("number", [0.0, 0.99, 10.1, -1.0, float("nan")])
def test_a_number_outside_of_the_scale_is_refused(number):
    with pytest.raises(ValueError, match="not between 1 and 10"):
        Severity.of(number)


def test_every_default_lies_in_its_own_band():
    assert [band.default for band in Severity] == [2.0, 5.0, 8.0, 9.0]
    assert all(Severity.of(band.default) is band for band in Severity)


def test_a_name_is_read_in_any_case():
    assert Severity.parse(" High") is Severity.HIGH
    assert Severity.HIGH.label == "High"


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match="'urgent' is not one of low, medium, high, critical"):
        Severity.parse("urgent")
