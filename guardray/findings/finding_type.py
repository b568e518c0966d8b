"""GuardDuty's finding type names, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SYNTAX = re.compile(
    r"""
    (?P<threat_purpose>[A-Za-z0-9]+)
    :(?P<resource_type_affected>[A-Za-z0-9]+)
    /(?P<threat_family_name>[A-Za-z0-9&]+)
    (?:\.(?P<detection_mechanism>[A-Za-z0-9]+))?
    (?:!(?P<artifact>[A-Za-z0-9]+))?
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class FindingType:
    """`ThreatPurpose:ResourceTypeAffected/ThreatFamilyName[.DetectionMechanism][!Artifact]`."""

    threat_purpose: str
    resource_type_affected: str
    threat_family_name: str
    detection_mechanism: str | None = None
    artifact: str | None = None

    @classmethod
    def parse(cls, name: str) -> FindingType:
        """The parts of a name. Raises ValueError when it is not written in GuardDuty's syntax."""
        match = _SYNTAX.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is not a finding type, such as 'UnauthorizedAccess:EC2/SSHBruteForce'")
        return cls(**match.groupdict())

    def __str__(self) -> str:
        mechanism = f".{self.detection_mechanism}" if self.detection_mechanism else ""
        artifact = f"!{self.artifact}" if self.artifact else ""
        return f"{self.threat_purpose}:{self.resource_type_affected}/{self.threat_family_name}{mechanism}{artifact}"
