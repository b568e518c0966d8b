"""Rules that archive findings as they are written: filters of that action, of an account and for its members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from guardray.findings.finding import Finding
from guardray.findings.wire import to_json
from guardray.store import api_members, api_resources
from guardray.store.criteria import Criteria, matches, parse_criteria
from guardray.types import AccountId, Region

FILTER = "filter"
"""The kind of filters among resources."""

ARCHIVE = "ARCHIVE"
"""The action of filters that archive."""


@dataclass(frozen=True)
class Suppression:
    """The rules, by the account and Region whose findings they are for."""

    rules: Mapping[tuple[AccountId, Region], tuple[Criteria, ...]]

    @classmethod
    def read(cls, connection: Connection) -> Suppression:
        """As they are now. An administrator's rules are its members' as well."""
        own: dict[tuple[AccountId, Region], tuple[Criteria, ...]] = {}
        for one in api_resources.all_resources(connection, [FILTER]):
            if one.content["Action"] == ARCHIVE:
                place = one.account_id, one.region
                own[place] = (*own.get(place, ()), parse_criteria(one.content["FindingCriteria"]))
        rules: dict[tuple[AccountId, Region], tuple[Criteria, ...]] = {}
        for (account, region), criteria in own.items():
            for governed in api_members.governed_by(connection, account, region):
                rules[governed, region] = (*rules.get((governed, region), ()), *criteria)
        return cls(rules)

    def applied(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings, those archived that a rule is for; the others stay as they are."""
        return [replace(finding, archived=True) if self._is_for(finding) else finding for finding in findings]

    def _is_for(self, finding: Finding) -> bool:
        rules = self.rules.get((finding.account_id, finding.region))
        if not rules:
            return False
        document = to_json(finding)
        return any(matches(criteria, document) for criteria in rules)
