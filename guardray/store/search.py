"""Pages of findings by criteria, in any order that they can be sorted by, and findings by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, false, select

from guardray.errors import QueryRefusedError
from guardray.store.criteria.conditions import Criteria
from guardray.store.index_schema import FINDING_INDEX
from guardray.store.schema import FINDINGS
from guardray.store.search_plan import Question, read_page
from guardray.store.sorting import Place, Sort
from guardray.store.totals import ALL_REGIONS
from guardray.types import AccountId, Region

MAX_IDS = 50
MAX_PAGE = 50

Json = dict[str, Any]

NEWEST = Sort()


@dataclass(frozen=True)
class Scope:
    """Whose findings may be seen at all; null: everybody's, and of all Regions."""

    account_ids: frozenset[AccountId] | None = None
    region: Region | None = None

    def conditions(self, table: Table = FINDING_INDEX) -> list[ColumnElement[bool]]:
        """On a table that has accounts and Regions of findings."""
        conditions: list[ColumnElement[bool]] = []
        if self.account_ids is not None:
            conditions.append(table.c.account_id.in_(sorted(self.account_ids)) if self.account_ids else false())
        if self.region is not None:
            conditions.append(table.c.region == self.region)
        return conditions

    @property
    def one_region(self) -> Region | None:
        """The Region that may be seen; ALL_REGIONS where each account may be seen in all, null for some of them."""
        return ALL_REGIONS if self.region is None else self.region


@dataclass(frozen=True)
class FindingsPage:
    """Ids in their order. `next_after`: what to ask for the next page with; null on the last one."""

    ids: tuple[str, ...]
    next_after: Place | None


def find_page(
    connection: Connection,
    scope: Scope,
    criteria: Criteria = (),
    sort: Sort = NEWEST,
    *,
    after: Place | None = None,
    size: int = MAX_PAGE,
) -> FindingsPage:
    """One page of the findings for which the criteria hold.

    A page begins after the place where the one before ended, not after a number of findings: those that are added
    meanwhile move nothing. In an order by what never changes (`createdAt`, `accountId`, `type`), a walk from page to
    page has all findings that were there at its start, once each, whatever is updated meanwhile; in another order, a
    finding whose value changes on the way is where its new value puts it.

    Args:
        after: `next_after` of the page before.
        size: at most so many, 1 to MAX_PAGE.

    Raises:
        QueryRefusedError: `after` is of another order, or `size` out of range.
    """
    if not 1 <= size <= MAX_PAGE:
        raise QueryRefusedError("maxResults", f"is not between 1 and {MAX_PAGE}")
    question = Question(tuple(scope.conditions()), criteria, sort, after, size + 1)
    rows = read_page(connection, question)
    last = rows[size - 1] if len(rows) > size else None
    next_after = None if last is None else sort.place(last.value, last.number)
    return FindingsPage(tuple(row.finding_id for row in rows[:size]), next_after)


def findings_by_id(
    connection: Connection, scope: Scope, finding_ids: Sequence[str], sort: Sort | None = None
) -> list[Json]:
    """Findings in GuardDuty's JSON, with the feedback given on them; ids that are not there are left out.

    Args:
        finding_ids: up to MAX_IDS.
        sort: null: in the order of the ids.

    Raises:
        QueryRefusedError: too many ids.
    """
    require_few(finding_ids)
    rows = {row.id: row for row in connection.execute(_rows(scope, finding_ids))}
    found = [
        (rows[finding_id].number, _json_of(rows[finding_id]))
        for finding_id in dict.fromkeys(finding_ids)
        if finding_id in rows
    ]
    if sort is not None:
        found.sort(key=lambda each: (sort.value_of(each[1]), each[0]), reverse=sort.descending)
    return [finding for _, finding in found]


def require_few(finding_ids: Sequence[str]) -> None:
    """Refuse more ids than one request may name.

    Raises:
        QueryRefusedError: there are more than MAX_IDS.
    """
    if len(finding_ids) > MAX_IDS:
        raise QueryRefusedError("findingIds", f"has more than {MAX_IDS} ids")


def of_ids(scope: Scope, finding_ids: Sequence[str]) -> list[ColumnElement[bool]]:
    """Conditions on the table `findings`: these ids, as far as the scope has them."""
    written = [finding_id for finding_id in finding_ids if finding_id.isascii() and "\0" not in finding_id]
    return [FINDINGS.c.id.in_(written), *scope.conditions(FINDINGS)]


def _rows(scope: Scope, finding_ids: Sequence[str]) -> Select[Any]:
    joined = FINDINGS.join(FINDING_INDEX, FINDING_INDEX.c.finding_id == FINDINGS.c.id)
    columns = FINDINGS.c.id, FINDINGS.c.json, FINDINGS.c.user_feedback, FINDING_INDEX.c.number
    return select(*columns).select_from(joined).where(*of_ids(scope, finding_ids))


def _json_of(row: Row[Any]) -> Json:
    finding: Json = msgspec.json.decode(row.json)
    if row.user_feedback is None:
        return finding
    service: Mapping[str, Any] = finding["service"]
    return {**finding, "service": {**service, "userFeedback": row.user_feedback}}
