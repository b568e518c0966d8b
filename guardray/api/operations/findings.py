"""Findings: looking for them, counting them, and saying what they were worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from functools import partial
from typing import Any

from guardray.api.call import Call, Handler
from guardray.api.criteria import read_criteria
from guardray.api.errors import bad_request
from guardray.api.outputs import Wire
from guardray.store import api_members
from guardray.store.marking import archive, give_feedback, unarchive
from guardray.store.search import Scope, find_page, findings_by_id
from guardray.store.sorting import Sort
from guardray.store.statistics import DEFAULT_GROUPS, Group, count_by_group, count_by_severity

_GROUPS = {
    "ACCOUNT": "GroupedByAccount",
    "DATE": "GroupedByDate",
    "FINDING_TYPE": "GroupedByFindingType",
    "RESOURCE": "GroupedByResource",
    "SEVERITY": "GroupedBySeverity",
}


def list_findings(call: Call) -> Mapping[str, Any]:
    """A page of ids."""
    page = find_page(
        call.connection,
        _scope(call),
        read_criteria(call.params.get("FindingCriteria"), wildcards=False),
        Sort.of(call.params.get("SortCriteria")),
        after=call.pages.after,
        size=call.pages.size,
    )
    token = "" if page.next_after is None else call.pages.token(page.next_after)
    return {"FindingIds": list(page.ids), "NextToken": token}


def get_findings(call: Call) -> Mapping[str, Any]:
    """Findings of these ids; ids of which there is none are left out."""
    given = call.params.get("SortCriteria")
    sort = None if given is None else Sort.of(given)
    found = findings_by_id(call.connection, _scope(call), call.params["FindingIds"], sort)
    return {"Findings": [Wire(finding) for finding in found]}


def get_statistics(call: Call) -> Mapping[str, Any]:
    """How many findings there are, by severity or by what they have in common."""
    params, scope = call.params, _scope(call)
    by_type, group_by = params.get("FindingStatisticTypes"), params.get("GroupBy")
    if bool(by_type) == bool(group_by):
        raise bad_request("one of findingStatisticTypes and groupBy must be given, and not both")
    if by_type and {"OrderBy", "MaxResults"} & params.keys():
        raise bad_request("orderBy and maxResults can be given with groupBy only")
    criteria = read_criteria(params.get("FindingCriteria"), wildcards=False)
    if by_type:
        counts = count_by_severity(call.connection, scope, criteria)
        by_text = {str(float(severity)): total for severity, total in counts.items()}
        return {"FindingStatistics": {"CountBySeverity": by_text}, "NextToken": ""}
    groups = count_by_group(
        call.connection,
        scope,
        params["GroupBy"],
        criteria,
        order_by=params.get("OrderBy", "DESC"),
        most=params.get("MaxResults", DEFAULT_GROUPS),
    )
    return {"FindingStatistics": {_GROUPS[params["GroupBy"]]: [_group(one) for one in groups]}, "NextToken": ""}


def _group(group: Group) -> dict[str, Any]:
    values = {
        "AccountId": group.account_id,
        "Date": None if group.day is None else datetime.combine(group.day, time(), UTC),
        "FindingType": group.finding_type,
        "ResourceType": group.resource_type,
        "ResourceId": group.resource_id,
        "Severity": group.severity,
        "TotalFindings": group.total,
        "LastGeneratedAt": group.last_generated_at,
    }
    return {name: value for name, value in values.items() if value is not None}


def mark(change: Callable[..., int], call: Call) -> Mapping[str, Any]:
    """Findings are archived, or are current again; ids of which there is none do not matter."""
    scope = _scope(call)
    call.refuse_members("archive findings or take them back")
    change(call.connection, scope, call.params["FindingIds"], call.now)
    return {}


def update_feedback(call: Call) -> Mapping[str, Any]:
    """It is known whether findings were useful; comments are kept, and shown to nobody."""
    give_feedback(
        call.connection,
        _scope(call),
        call.params["FindingIds"],
        call.params["Feedback"],
        comments=call.params.get("Comments"),
        given_by=call.account_id,
        now=call.now,
    )
    return {}


def _scope(call: Call) -> Scope:
    """The findings of the caller's account and of its members, in its Region."""
    call.own_detector()
    accounts = api_members.governed_by(call.connection, call.account_id, call.region)
    return Scope(account_ids=frozenset(accounts), region=call.region)


HANDLERS: Mapping[str, Handler] = {
    "ListFindings": list_findings,
    "GetFindings": get_findings,
    "GetFindingsStatistics": get_statistics,
    "ArchiveFindings": partial(mark, archive),
    "UnarchiveFindings": partial(mark, unarchive),
    "UpdateFindingsFeedback": update_feedback,
}
