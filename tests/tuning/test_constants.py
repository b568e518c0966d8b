"""Detectors with other numbers than their modules say."""

from __future__ import annotations

import pickle

import cloudpickle
import pytest

from guardray.detectors.loader import load_detectors
from guardray.errors import UsageError
from guardray.testing import run_example
from guardray.tuning.constants import constants, with_constants

SWEEP = "Impact:EC2/PortSweep"


def fires(detector, name):
    return bool(run_example(detector, next(one for one in detector.examples if one.name == name)))


def test_a_constant_has_its_value_and_its_reason():
    found = constants(SWEEP)
    assert found.loc["TARGETS", "value"] == 50
    assert "Slow worms" in found.loc["TARGETS", "reason"]


def test_a_detector_decides_by_the_changed_constant():
    (known,) = load_detectors([SWEEP])
    changed = with_constants(SWEEP, {"TARGETS": 100})
    assert fires(known, "an instance probes telnet on 80 addresses")
    assert not fires(changed, "an instance probes telnet on 80 addresses")
    assert changed.tunables["targets"] == 100


def test_the_detector_itself_stays_as_it_is():
    with_constants(SWEEP, {"TARGETS": 100})
    assert load_detectors([SWEEP])[0].tunables["targets"] == 50


def test_every_detector_can_be_made_anew():
    for known in load_detectors():
        assert with_constants(known.finding_type, {}).finding_type == known.finding_type


def test_a_changed_detector_travels_to_other_processes_with_its_numbers():
    changed = pickle.loads(cloudpickle.dumps(with_constants(SWEEP, {"TARGETS": 100})))
    assert not fires(changed, "an instance probes telnet on 80 addresses")


def test_what_there_is_not_is_refused_by_name():
    with pytest.raises(UsageError, match="no detector for finding type 'Impact:EC2/Nothing'"):
        constants("Impact:EC2/Nothing")
    with pytest.raises(UsageError, match="TARGET is no constant of its module; there are TARGETS, UNANSWERED"):
        with_constants(SWEEP, {"TARGET": 1})
