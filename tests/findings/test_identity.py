"""Ids that do not change."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from guardray.findings.identity import detector_id, finding_arn, finding_id, partition
from guardray.findings.sighting import SightingKey

KEY = SightingKey("Recon:EC2/Portscan", "111122223333", "eu-west-1", "eni-1")


def test_ids_are_the_same_in_every_run():
    """A stored finding must be found again by every later version: a change here breaks all stores."""
    assert detector_id("111122223333", "eu-west-1") == "8df1d533a132a1e5e76ee27c247b8b6d"
    assert finding_id(KEY, "d" * 32) == "277bd67960f290b57ccb4c8d8d08215e"


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, finding_type="Impact:EC2/PortSweep"),
        replace(KEY, account_id="999922223333"),
        replace(KEY, region="eu-west-2"),
        replace(KEY, entity="eni-2"),
    ],
)
def test_each_part_of_the_key_makes_another_finding(other):
    assert finding_id(other, "d" * 32) != finding_id(KEY, "d" * 32)


def test_another_account_or_region_has_another_detector():
    ids = {detector_id(account, region) for account in ("1" * 12, "2" * 12) for region in ("eu-west-1", "eu-west-2")}
    assert len(ids) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", text) for text in ids)


@pytest.mark.parametrize(
    ("region", "name"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("", "aws")]
)
def test_the_arn_names_the_partition_of_the_region(region, name):
    assert partition(region) == name
    assert finding_arn("1" * 12, region, "f" * 32).startswith(f"arn:{name}:guardduty:{region}:111111111111:detector/")
