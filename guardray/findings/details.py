"""What a detector says about one sighting: everything of a finding that is not its identity or its counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from guardray.findings.actions import Action
from guardray.findings.resources import Resource
from guardray.types import ResourceRole


@dataclass(frozen=True)
class ThreatIntelligence:
    """One of `evidence.threatIntelligenceDetails`: the list that names an indicator."""

    list_name: str
    threat_names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Details:
    """A detector's account of a sighting. `severity` and `role` are null where the detector's own hold."""

    title: str
    description: str
    resource: Resource
    action: Action
    role: ResourceRole | None = None
    severity: float | None = None
    additional_info: dict[str, Any] = field(default_factory=dict)  # GuardDuty's keys, in camel case
    threat_intelligence: tuple[ThreatIntelligence, ...] = ()
