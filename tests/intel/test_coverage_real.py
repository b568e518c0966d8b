"""What a real list names in real logs is what others found that it names."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from guardray.intel.entries import ThreatList
from guardray.intel.formats import Columns, parse
from guardray.intel.store import IndicatorStore

pytestmark = pytest.mark.data


def test_the_list_names_every_indicator_that_it_is_labelled_to_name_and_no_other(shared_data: Path):
    columns = Columns(indicator="indicator", threat_name="family")
    entries = parse((shared_data / "intel" / "maltrail-static.csv.gz").read_bytes(), "csv", "any", columns=columns)
    store = IndicatorStore([(ThreatList("maltrail", "c2", None, len(entries), entries.skipped), entries)])
    with (shared_data / "labels" / "ti_coverage.csv").open(encoding="utf-8") as labels:
        rows = list(csv.DictReader(labels))
    wrong = [row["indicator"] for row in rows if _is_named(store, row["indicator"]) != (row["in_list"] == "1")]
    assert (len(rows), wrong) == (441, [])


def _is_named(store: IndicatorStore, indicator: str) -> bool:
    return bool(store.ip_indicators(indicator) or store.domain_indicators(indicator))
