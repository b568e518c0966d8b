"""What all kinds of destinations can be told."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from guardray.findings.severity import Severity
from guardray.publish.messages import DEFAULT_SOURCE
from guardray.publish.sending import Sender
from guardray.store.outbox_register import Subscription

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]

_FREQUENCIES = {"15m": timedelta(minutes=15), "1h": timedelta(hours=1), "6h": timedelta(hours=6)}

ATTEMPTS = 185
MAX_AGE_H = 24.0
"""EventBridge gives up on its own targets after a day or so many attempts."""


class Destination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """One entry under `destinations`.

    Attributes:
        name: what the store, the commands and their messages call it.
        update_every: how often at most a finding is sent again because it has changed, as GuardDuty has it.
        severity: the lowest that a finding must have to be sent.
        backlog: whether the findings that the store has already are sent, too.
        source: of the events; what they are told from GuardDuty's own by.
        attempts: after so many a delivery is given up.
        max_age_h: hours after the first failure at which a delivery is given up.
    """

    name: Name
    update_every: Literal["15m", "1h", "6h"] = "6h"
    severity: Literal["low", "medium", "high", "critical"] = "low"
    backlog: bool = False
    source: Annotated[str, msgspec.Meta(min_length=1)] = DEFAULT_SOURCE
    attempts: Annotated[int, msgspec.Meta(ge=1)] = ATTEMPTS
    max_age_h: Annotated[float, msgspec.Meta(gt=0)] = MAX_AGE_H

    @property
    def frequency(self) -> timedelta:
        """The least time between two deliveries of one finding."""
        return _FREQUENCIES[self.update_every]

    @property
    def max_age(self) -> timedelta:
        """How long a delivery may fail."""
        return timedelta(hours=self.max_age_h)

    def subscription(self) -> Subscription:
        """What the store is to keep for it."""
        return Subscription(
            name=self.name,
            update_every=self.frequency,
            severity=Severity.parse(self.severity).floor,
            backlog=self.backlog,
        )

    @abstractmethod
    def sender(self, folder: Path) -> Sender:
        """What sends to it; relative paths start at `folder`. Raises UsageError where a secret is missing."""
