"""What the routes of `/v1` that are for operators answer: values, and the schema of their JSON."""

from __future__ import annotations

from datetime import datetime

import msgspec

from guardray.models.card import Card
from guardray.service.status import PoolStatus, ServiceStatus, SourceStatus


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Of when the rest of the answer is, and whether the service works; where it does not, why."""

    told_at: datetime
    ready: bool
    reason: str | None


class Status(Standing, frozen=True, kw_only=True):
    """How the service stands, in its own words."""

    status: ServiceStatus


class Sources(Standing, frozen=True, kw_only=True):
    """Where logs come from and how much of each waits, and the time before which all is read (`watermark`)."""

    sources: tuple[SourceStatus, ...]
    watermark: datetime | None


class Pools(Standing, frozen=True, kw_only=True):
    """The actors that models run in; none where no model is in force."""

    pools: tuple[PoolStatus, ...]


class Version(msgspec.Struct, frozen=True):
    """A version of a family of models, by its card."""

    in_force: bool
    card: Card


class Models(msgspec.Struct, frozen=True):
    """All versions that there are, the latest of each family last, and why others cannot be read."""

    models: list[Version]
    problems: list[str]
