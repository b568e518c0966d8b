"""What clients of the API have switched off: such findings are not written.

Whoever runs the service decides which logs it reads, and all that is in them is looked at. So what nobody ever said
anything of through the API is on: no account goes dark because a detector was made for another one. Off are places
(an account in a Region) whose detector is suspended or was deleted, S3 data events where that feature is off, and rules
of one's own that are only tried there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from guardray.detectors.declare import Detector, Mode, QueryDetector
from guardray.findings.finding import Finding
from guardray.rulebook.catalogue import rule_id
from guardray.store import api_detectors
from guardray.store.api_rules import RuleMode, RulePlace, rule_modes
from guardray.types import AccountId, Region

Place = tuple[AccountId, Region]

S3_DATA_EVENTS = "S3_DATA_EVENTS"


@dataclass(frozen=True)
class Switches:
    """As they are at a time.

    Attributes:
        off: places where nothing is to be found.
        without_s3: places where nothing is to be found in S3 data events.
        rules: what holds for rules of one's own instead of what their files say.
    """

    off: frozenset[Place]
    without_s3: frozenset[Place]
    rules: Mapping[RulePlace, RuleMode]

    @classmethod
    def read(cls, connection: Connection) -> Switches:
        """As they are now."""
        detectors = {(one.account_id, one.region): one for one in api_detectors.detectors_in(connection)}
        suspended = {place for place, one in detectors.items() if not one.enabled}
        return cls(
            off=frozenset(suspended | api_detectors.removed_places(connection)),
            without_s3=frozenset(place for place, one in detectors.items() if not one.has(S3_DATA_EVENTS)),
            rules=rule_modes(connection),
        )

    def let(self, finding: Finding, detector: Detector) -> bool:
        """Whether a finding of this detector is to be written."""
        place = finding.account_id, finding.region
        if place in self.off or (detector.source == "cloudtrail-s3" and place in self.without_s3):
            return False
        return self._mode(finding, detector) == "LIVE"

    def _mode(self, finding: Finding, detector: Detector) -> Mode:
        if not self.rules or not isinstance(detector, QueryDetector):
            return detector.mode
        id_ = rule_id(finding.type, str(finding.evidence[-1].row["rule"]))
        return self.rules.get(RulePlace(finding.account_id, finding.region, id_), detector.mode)
