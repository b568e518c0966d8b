"""Block Public Access, of an account or a bucket: which of its four flags a call switched off.

Source: Amazon S3 API reference, PublicAccessBlockConfiguration: a flag that is left out is off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.detectors.calls import request_of
from guardray.detectors.declare import Judgement
from guardray.types import Row

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def judge(row: Row, known: Any) -> Judgement:
    """Fires where a flag that was on, or is not known to have been off, is off after the call.

    The state lists the flags that are on.
    """
    if row["api_operation"].startswith("Delete"):
        return _judgement(known, [])
    block = request_of(row).get("PublicAccessBlockConfiguration")
    return _judgement(known, _on(block)) if isinstance(block, Mapping) else Judgement(known)


def _on(block: Mapping[str, Any]) -> list[str]:
    return [flag for flag in FLAGS if str(block.get(flag)).lower() == "true"]


def _judgement(known: Any, after: list[str]) -> Judgement:
    before = FLAGS if known is None else known
    cleared = [flag for flag in before if flag not in after]
    return Judgement(after, fires=bool(cleared), facts={"cleared": cleared})
