"""The finding: everything that GuardDuty's JSON says of one security issue, and the rows that prove it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from guardray.findings import identity
from guardray.findings.actions import Action
from guardray.findings.details import Details, ThreatIntelligence
from guardray.findings.resources import Resource
from guardray.findings.sighting import SAMPLES_KEPT, Occurrence, Sighting
from guardray.types import AccountId, Region, ResourceRole


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One security issue. Times are in UTC, to the millisecond, as GuardDuty writes them.

    What it says (severity, title, resource, action) is said of the latest occurrence. `evidence` is the
    earliest SAMPLES_KEPT rows and the latest one, ascending; it is empty where the rows were not read along.
    """

    id: str
    type: str
    account_id: AccountId
    region: Region
    severity: float
    title: str
    description: str
    resource: Resource
    resource_role: ResourceRole
    action: Action
    additional_info: dict[str, Any] = field(default_factory=dict)
    threat_intelligence: tuple[ThreatIntelligence, ...] = ()
    event_first_seen: datetime
    event_last_seen: datetime
    count: int
    created_at: datetime
    updated_at: datetime
    archived: bool = False
    evidence: tuple[Occurrence, ...] = field(default=(), compare=False)

    @property
    def detector_id(self) -> str:
        return identity.detector_id(self.account_id, self.region)

    @property
    def arn(self) -> str:
        return identity.finding_arn(self.account_id, self.region, self.id)

    @property
    def partition(self) -> str:
        return identity.partition(self.region)

    def merge(self, update: Finding) -> Finding:
        """This finding after more of its sightings were counted; both must carry their evidence.

        Counts and event times do not depend on which of the two came first. `created_at` stays, `updated_at` is the
        update's, and an archived finding that happens again is current again.
        """
        if self.id != update.id:
            raise ValueError(f"cannot merge findings {self.id} and {update.id}")
        latest = max(self, update, key=lambda finding: finding.evidence[-1])
        return replace(
            latest,
            event_first_seen=min(self.event_first_seen, update.event_first_seen),
            event_last_seen=max(self.event_last_seen, update.event_last_seen),
            count=self.count + update.count,
            created_at=self.created_at,
            updated_at=update.updated_at,
            archived=update.archived,
            evidence=_kept({*self.evidence, *update.evidence}),
        )


def finding_of(sighting: Sighting, details: Details, severity: float, role: ResourceRole, now: datetime) -> Finding:
    """The finding that a sighting makes.

    Args:
        sighting: all that was seen of one entity.
        details: what its detector says of the latest occurrence.
        severity: the detector's, unless the details give another.
        role: the detector's, unless the details give another.
        now: when the finding is written.
    """
    key = sighting.key
    written_at = milliseconds(now)
    return Finding(
        id=identity.finding_id(key, identity.detector_id(key.account_id, key.region)),
        type=key.finding_type,
        account_id=key.account_id,
        region=key.region,
        severity=severity if details.severity is None else details.severity,
        title=details.title,
        description=details.description,
        resource=details.resource,
        resource_role=details.role or role,
        action=details.action,
        additional_info=details.additional_info,
        threat_intelligence=details.threat_intelligence,
        event_first_seen=milliseconds(sighting.first_seen),
        event_last_seen=milliseconds(sighting.last_seen),
        count=sighting.count,
        created_at=written_at,
        updated_at=written_at,
        evidence=_kept({*sighting.samples, sighting.latest}),
    )


def most_urgent_first(findings: Iterable[Finding]) -> list[Finding]:
    """By severity, then by when they last happened, both falling; equals by type and id."""
    return sorted(findings, key=lambda f: (-f.severity, -f.event_last_seen.timestamp(), f.type, f.id))


def milliseconds(time: datetime) -> datetime:
    """An aware time in UTC, cut to the millisecond."""
    return time.astimezone(UTC).replace(microsecond=time.microsecond // 1000 * 1000)


def _kept(occurrences: set[Occurrence]) -> tuple[Occurrence, ...]:
    ordered = sorted(occurrences)
    return (*ordered[:SAMPLES_KEPT], *ordered[SAMPLES_KEPT:][-1:])
