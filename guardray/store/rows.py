"""Findings and evidence to and from the rows of their tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import RowMapping

from guardray.findings.ends import resource_name
from guardray.findings.finding import Finding
from guardray.findings.sighting import Occurrence
from guardray.findings.wire import from_json, to_json
from guardray.types import Row


def finding_row(finding: Finding, written: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A row of `findings`.

    Args:
        written: GuardDuty's JSON of the finding, where it is at hand.
    """
    json = to_json(finding) if written is None else written
    return finding_columns(finding) | {"json": msgspec.json.encode(json).decode()}


def finding_columns(finding: Finding) -> dict[str, Any]:
    """The columns of `findings` beside its JSON."""
    return {
        "id": finding.id,
        "account_id": finding.account_id,
        "region": finding.region,
        "detector_id": finding.detector_id,
        "type": finding.type,
        "severity": finding.severity,
        "count": finding.count,
        "event_first_seen": finding.event_first_seen,
        "event_last_seen": finding.event_last_seen,
        "created_at": finding.created_at,
        "updated_at": finding.updated_at,
        "archived": finding.archived,
        "resource_type": finding.resource.resource_type,
        "resource_name": resource_name(finding),
    }


def finding_of_json(text: str) -> Finding:
    """The finding of the column `json`, without its evidence."""
    return from_json(msgspec.json.decode(text))


EVIDENCE_COLUMNS = ("finding_id", "time", "digest", "row")


def evidence_row(finding_id: str, occurrence: Occurrence) -> tuple[Any, ...]:
    """A row of `evidence`, in the order of EVIDENCE_COLUMNS."""
    return finding_id, occurrence.time, occurrence.digest, encode_row(occurrence.row)


def encode_row(row: Row) -> str:
    """A normalised row as JSON."""
    return msgspec.json.encode(dict(row), enc_hook=_plain).decode()


def occurrence_of_row(row: RowMapping) -> Occurrence:
    """The occurrence of a row of `evidence`; times inside its row are texts, as JSON has no others."""
    return Occurrence(row["time"], row["digest"], msgspec.json.decode(row["row"]))


def _plain(value: Any) -> Any:
    """What detectors put into rows and JSON has no word for: mappings of other kinds."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"evidence holds a {type(value).__name__}")
