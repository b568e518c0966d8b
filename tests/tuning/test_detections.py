"""Files of detections: tried, and put where they are read."""

from __future__ import annotations

import pytest

from guardray.errors import UsageError
from guardray.tuning.detections import detections_in, examples, put_in_force

RULE = """
finding_type: Policy:IAMUser/{name}
about: Somebody made a key.
source: cloudtrail-management
severity: medium
operations: [CreateAccessKey]
condition: api_response_error IS NULL
title: "{{caller}} made a key."
examples:
  - fires: a key is made
    row: &call {{api_operation: CreateAccessKey, api_service_name: iam.amazonaws.com}}
  - quiet: it is denied
    row: {{<<: *call, api_response_error: {error}}}
"""


@pytest.fixture
def rule(tmp_path):
    def write(file="key.yaml", name="KeyMade", error="AccessDenied"):
        path = tmp_path / file
        path.write_text(RULE.format(name=name, error=error), encoding="utf-8")
        return path

    return write


def test_what_comes_of_each_example_is_told(rule):
    (detector,) = detections_in(rule())
    found = examples(detector)
    assert found.values.tolist() == [
        ["a key is made", "fire", 1, "principal unknown made a key."],
        ["it is denied", "be quiet", 0, ""],
    ]


def test_a_file_that_is_put_in_force_is_read_from_its_folder(rule, tmp_path):
    target = put_in_force(rule(), tmp_path / "detections")
    assert target.read_bytes() == rule().read_bytes()
    assert [one.finding_type for one in detections_in(tmp_path / "detections")] == ["Policy:IAMUser/KeyMade"]


def test_a_file_takes_the_place_of_its_earlier_self_and_of_no_other(rule, tmp_path):
    folder = tmp_path / "detections"
    put_in_force(rule(), folder)
    put_in_force(rule(), folder)
    with pytest.raises(UsageError, match=r"the folder has Policy:IAMUser/KeyMade already"):
        put_in_force(rule("again.yaml"), folder)
    assert [path.name for path in folder.iterdir()] == ["key.yaml"]


def test_a_file_whose_examples_fail_is_not_put_in_force(rule, tmp_path):
    with pytest.raises(UsageError, match="'it is denied'"):
        put_in_force(rule(error="null"), tmp_path / "detections")
    assert not (tmp_path / "detections").exists()


def test_what_is_no_file_of_detections_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.py, \.yaml, \.yml"):
        put_in_force(tmp_path / "key.txt", tmp_path / "detections")
