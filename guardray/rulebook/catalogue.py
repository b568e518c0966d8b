"""Rules of one's own in the words of custom detection rules: one for each condition of each rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from guardray.custom.details import UNNAMED
from guardray.custom.library import OwnRule
from guardray.detectors.declare import Query, QueryDetector
from guardray.findings.finding_type import FindingType
from guardray.findings.severity import Severity
from guardray.findings.tactic import tactic_of

_EXPRESSION_LENGTH = 4096
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


@dataclass(frozen=True)
class CatalogueRule:
    """A condition of a rule."""

    rule: OwnRule
    query: Query

    @cached_property
    def id(self) -> str:
        """See `rule_id`."""
        return rule_id(self.rule.detector.finding_type, self.query.name)

    @cached_property
    def made_at(self) -> datetime:
        """When the file of the rule was last written."""
        return datetime.fromtimestamp(int(self.rule.path.stat().st_mtime), UTC)

    def summary(self, region: str) -> dict[str, Any]:
        """The rule as ListCustomDetectionRules has it."""
        detector = self.rule.detector
        parts = FindingType.parse(detector.finding_type)
        return {
            "RuleId": self.id,
            "Arn": f"arn:aws:guardduty:{region}:aws:custom-detection-rule/{self.id}",
            "Name": parts.threat_family_name if self.query.name in UNNAMED else self.query.name,
            "Description": " ".join(self.rule.about.split()),
            "Severity": Severity.of(detector.severity).name,
            "DataSource": "CloudTrailManagementEvent",
            "Tactic": tactic_of(detector.finding_type) or parts.threat_purpose,
            "Technique": parts.threat_family_name,
            "Service": parts.resource_type_affected,
            "Language": "SQL",
            "Schema": "CloudTrail",
            "CreatedAt": self.made_at,
            "UpdatedAt": self.made_at,
        }

    def description(self, region: str) -> dict[str, Any]:
        """The rule as GetCustomDetectionRule has it, with its condition."""
        expression = self.query.condition.strip()[:_EXPRESSION_LENGTH]
        return {**self.summary(region), "Definition": {"Expression": expression}}


def rule_id(finding_type: str, name: str) -> str:
    """The id of a condition: the words of its name, or of its finding type where it is the only one and has none.

    `console-login-without-mfa`, `policy-iam-user-user-created`.
    """
    return "-".join(word.lower() for word in _WORDS.findall(finding_type if name in UNNAMED else name))


def catalogue(rules: Iterable[OwnRule]) -> Mapping[str, CatalogueRule]:
    """The rules over management events by their id, in order; of two with one id, the first."""
    found: dict[str, CatalogueRule] = {}
    for rule in rules:
        detector = rule.detector
        if isinstance(detector, QueryDetector) and detector.source == "cloudtrail-management":
            for query in detector.queries:
                one = CatalogueRule(rule, query)
                found.setdefault(one.id, one)
    return dict(sorted(found.items()))
