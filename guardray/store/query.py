"""Which of the stored findings to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select

from guardray.findings.severity import Severity
from guardray.store.schema import FINDINGS
from guardray.types import AccountId, Region


@dataclass(frozen=True, kw_only=True)
class FindingQuery:
    """Findings for which all of this holds; null asks for nothing.

    Attributes:
        types: finding types, of which one must match.
        at_least: the lowest band.
        since: last seen then or later.
        archived: only archived findings, or only current ones.
        limit: the most to read, of the most urgent.
    """

    account_id: AccountId | None = None
    region: Region | None = None
    types: tuple[str, ...] | None = None
    at_least: Severity | None = None
    since: datetime | None = None
    archived: bool | None = None
    limit: int | None = None


ALL = FindingQuery()


def select_findings(query: FindingQuery) -> Select[str]:
    """The JSON of the findings, most urgent first: the order of `most_urgent_first`."""
    columns = FINDINGS.c
    order = (columns.severity.desc(), columns.event_last_seen.desc(), columns.type, columns.id)
    return select(columns.json).where(*_conditions(query)).order_by(*order).limit(query.limit)


def _conditions(query: FindingQuery) -> Iterator[ColumnElement[bool]]:
    columns = FINDINGS.c
    if query.account_id is not None:
        yield columns.account_id == query.account_id
    if query.region is not None:
        yield columns.region == query.region
    if query.types is not None:
        yield columns.type.in_(query.types)
    if query.at_least is not None:
        yield columns.severity >= query.at_least.floor
    if query.since is not None:
        yield columns.event_last_seen >= query.since
    if query.archived is not None:
        yield columns.archived == query.archived
