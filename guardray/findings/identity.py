"""Stable names: the same threat seen again, on any machine and in any order, gets the same ids."""

from __future__ import annotations

import hashlib

import msgspec

from guardray.findings.sighting import SightingKey
from guardray.types import AccountId, Region

_PARTITION_PREFIXES = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def partition(region: Region) -> str:
    """The AWS partition that a Region is in: aws, aws-cn or aws-us-gov."""
    return next((name for prefix, name in _PARTITION_PREFIXES.items() if region.startswith(prefix)), "aws")


def detector_id(account_id: AccountId, region: Region) -> str:
    """The id of the account's GuardDuty detector in that Region: 32 hex digits."""
    return _digest("detector", account_id, region)


def finding_id(key: SightingKey, detector_id: str) -> str:
    """The id that all sightings of this key share: 32 hex digits."""
    return _digest("finding", detector_id, key.account_id, key.region, key.finding_type, key.entity)


def detector_arn(account_id: AccountId, region: Region) -> str:
    """`arn:aws:guardduty:<region>:<account>:detector/<id>`."""
    return f"arn:{partition(region)}:guardduty:{region}:{account_id}:detector/{detector_id(account_id, region)}"


def finding_arn(account_id: AccountId, region: Region, finding_id: str) -> str:
    """`arn:aws:guardduty:<region>:<account>:detector/<id>/finding/<id>`."""
    return f"{detector_arn(account_id, region)}/finding/{finding_id}"


def _digest(*parts: str) -> str:
    # A JSON list, so that no part can run over into the next.
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()
