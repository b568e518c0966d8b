"""Every example of every detector, run through the real operators."""

from __future__ import annotations

import pytest

from guardray.detectors.declare import Detector, Example
from guardray.detectors.loader import load_detectors
from guardray.errors import UsageError
from guardray.findings.finding_type import FindingType
from guardray.testing import check_example

DETECTORS = load_detectors()
EXAMPLES = [(detector, example) for detector in DETECTORS for example in detector.examples]


def _sentence(value: object) -> str:
    if isinstance(value, Detector):
        return value.finding_type
    assert isinstance(value, Example)
    return f"{'fires' if value.fires else 'quiet'} when {value.name}"


@pytest.mark.parametrize(("detector", "example"), EXAMPLES, ids=_sentence)
def test_detector_does_what_its_example_says(detector: Detector, example: Example):
    check_example(detector, example)


@pytest.mark.parametrize("detector", DETECTORS, ids=_sentence)
def test_detector_has_a_well_formed_type_and_examples_of_both_kinds(detector: Detector):
    FindingType.parse(detector.finding_type)
    assert {example.fires for example in detector.examples} == {True, False}
    assert detector.details.__module__.startswith("guardray.detectors")


def test_at_least_twenty_types_are_there():
    assert len(DETECTORS) >= 20


def test_an_unknown_type_is_refused_by_name():
    with pytest.raises(UsageError, match="Nonsense:EC2/Nothing"):
        load_detectors(["Nonsense:EC2/Nothing"])
