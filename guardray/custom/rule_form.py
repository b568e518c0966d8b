"""The form of a file with a rule in SQL: what may be written in it, as structs."""

from __future__ import annotations

from typing import Any

import msgspec

from guardray.custom.details import ResourceKind
from guardray.detectors.declare import Mode, Source
from guardray.findings.severity import Severity
from guardray.types import ResourceRole

SeverityText = float | str


class Tunable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that decides, written `$name` in conditions."""

    value: float
    reason: str


class ExampleForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An example: under `fires` or `quiet` its name, and what happened, in one of three forms.

    Attributes:
        row: columns of the schema. What it leaves out is null, but for time, account and Region; JSON columns may be
            written as mappings.
        rows: several such.
        event: a record as CloudTrail writes it.
        severity: that of the finding.
    """

    fires: str | None = None
    quiet: str | None = None
    row: dict[str, Any] | None = None
    rows: tuple[dict[str, Any], ...] = ()
    event: dict[str, Any] | None = None
    severity: float | None = None

    def __post_init__(self) -> None:
        if (self.fires is None) == (self.quiet is None):
            raise ValueError("an example has either `fires` or `quiet`, with its name")
        if (self.row is not None) + (self.event is not None) + bool(self.rows) != 1:
            raise ValueError("an example has one of `row`, `rows` and `event`")


class Alternative(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several conditions of a finding type; what it leaves out is as for the file."""

    name: str
    condition: str
    operations: tuple[str, ...] = ()
    severity: SeverityText | None = None
    title: str | None = None
    description: str | None = None


class RuleForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file with a rule.

    Attributes:
        finding_type: in GuardDuty's syntax, `ThreatPurpose:ResourceTypeAffected/ThreatFamilyName`.
        about: what it finds and what it cannot see, for `guardray detectors show`. Markdown.
        source: the log that it reads.
        severity: low, medium, high, critical, or a number from 1 to 10.
        condition: the expression that is true for rows to find; or `rules`, several of them, each with a name.
        operations: API operations, the only calls that are looked at; leave it out to look at all.
        title, description: of the finding; `{column}`, `{request.path}`, `{caller}` and so on are filled from the row.
        mode: DRY_RUN counts what it would have found, and gives no finding.
        entity: columns; rows that agree in them, in account and Region are one finding.
        resource: what the finding is about.
        references: where to read more.
    """

    finding_type: str
    about: str
    source: Source
    severity: SeverityText
    title: str
    condition: str | None = None
    rules: tuple[Alternative, ...] = ()
    operations: tuple[str, ...] = ()
    description: str | None = None
    mode: Mode = "LIVE"
    role: ResourceRole = "TARGET"
    entity: tuple[str, ...] | None = None
    resource: ResourceKind | None = None
    tunables: dict[str, Tunable] = {}
    references: tuple[str, ...] = ()
    examples: tuple[ExampleForm, ...] = ()

    def __post_init__(self) -> None:
        if (self.condition is None) == (not self.rules):
            raise ValueError("a rule has either `condition` or `rules`")
        names = [one.name for one in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two of the `rules` are named {twice[0]!r}")


def severity_number(written: SeverityText) -> float:
    """The number of a severity. Raises ValueError or UsageError where it is none."""
    if isinstance(written, str):
        return Severity.parse(written).default
    Severity.of(written)
    return written
