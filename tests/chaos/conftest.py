"""A simulated account, what a scan finds in it, and services to kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chaos.trail import aws
from tests.chaos.tree import make_tree
from tests.service.conftest import account, scanned, settings

__all__ = ["account", "aws", "make_tree", "scanned", "settings"]


@pytest.fixture
def config(account: Path) -> dict[str, Any]:
    """Of a service that watches the account: small epochs, many checkpoints, and all is final soon after the last."""
    lists = account / "indicators"
    return {
        "sources": [str(account / "AWSLogs")],
        "intel": str(lists / "intel.yaml"),
        "threat_lists": [str(lists / "threat-list.txt")],
        "trusted_lists": [str(lists / "trusted-list.txt")],
        "inventory": [str(account / "inventory.json")],
        "patience": {"idle": "20s"},
        "epoch": {"max_objects": 20, "interval": "5s"},
        "checkpoint": {"interval": "1s"},
        "shards": {"min": 2, "max": 2},
    }
