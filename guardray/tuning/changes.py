"""What a change of detectors or models would have done to the findings of past weeks."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from guardray.detectors.declare import ActivityDetector, Detector
from guardray.detectors.loader import declaring_modules
from guardray.errors import UsageError
from guardray.evaluation.frames import KEY, compared
from guardray.evaluation.judging import Labels, judge
from guardray.evaluation.observed import behaviour_detectors, observe
from guardray.evaluation.replay import replay
from guardray.evaluation.variants import Variant, run
from guardray.findings.sighting import Sighting
from guardray.runtime.engine import RayEngine
from guardray.sources.limits import Limits
from guardray.tuning.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

_NO_DAYS = pl.DataFrame(schema={"window_start": pl.Datetime("us", "UTC")})

ATTACK, UNKNOWN = "attack", "unknown"
"""What a finding was of: a simulated attack; or nobody has said."""


def found_by(place: Workspace, detectors: Sequence[Detector], address: str | None = None) -> list[Sighting]:
    """What detectors find in the logs, all of them read once.

    Args:
        place: where the logs are.
        detectors: that look.
        address: of a Ray cluster that reads them, `auto` or `host:port`; None: this process does.

    Raises:
        UsageError: there are no logs, or no cluster.
    """
    settings = place.settings(detectors)
    return place.scan(settings, None if address is None else RayEngine(settings, address=address)).sightings


class PastDays:
    """Days of logs, read once, that detectors of behaviour judge again and again.

    Args:
        place: where the logs are.

    Raises:
        UsageError: there are none, or nothing in them that these detectors look at.
    """

    def __init__(self, place: Workspace) -> None:
        self._detectors = behaviour_detectors()
        limits = Limits(lateness=place.lateness)
        self._observed = observe(place.logs, self._detectors, feeds=place.lists, state=place.state, limits=limits)
        days = pl.concat([rows.select("window_start") for rows in self._observed.activities.values()] or [_NO_DAYS])
        if days.is_empty():
            raise UsageError("there is nothing in the logs that detectors of behaviour look at")
        first, last = days.select(first=pl.col("window_start").min(), last=pl.col("window_start").max()).row(0)
        self.start: datetime = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.days: int = (last - first).days + 1

    def found_by(self, detectors: Sequence[ActivityDetector]) -> list[Sighting]:
        """What detectors find day by day without models: those of guardray, or the same with other thresholds."""
        types = {one.finding_type for one in detectors}
        found = replay(self._observed, detectors, self.start, self.days)
        return [one for one in found if one.key.finding_type in types]

    def judged(self, variant: Variant) -> list[Sighting]:
        """What all find day by day, models learning of the days before alone."""
        return run(variant, self._observed, self._detectors, self.start, self.days).sightings


def changes(place: Workspace, before: Sequence[Sighting], after: Sequence[Sighting]) -> pd.DataFrame:
    """Findings of both.

    Returns:
        `account`, `type`, `entity`, `count`, `first_seen`, `last_seen`; `change`: `appears`, `vanishes` or `stays`; and
        `was`: `attack` or what happened that was harmless, where it is known, `unknown` where it is not.
    """
    frame = compared(before, after)
    frame["was"] = UNKNOWN
    if place.labels is not None and len(frame):
        labels = _with_own_types(Labels.read(place.labels), set(frame["type"]) - set(declaring_modules()))
        harmless = {
            (told.sighting.key.account_id, told.sighting.key.finding_type, told.sighting.key.entity): told.harmless
            for told in judge([*before, *after], labels, from_day=0, days=1).false_alarms
        }
        frame["was"] = [harmless.get(key, ATTACK) for key in frame[list(KEY)].itertuples(index=False, name=None)]
    return frame


def _with_own_types(labels: Labels, types: Set[str]) -> Labels:
    """The same, where findings of these types may tell of any attack: labels do not know detections of one's own."""
    return replace(labels, attacks=tuple(replace(one, acceptable=one.acceptable | types) for one in labels.attacks))


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """How many findings appear, vanish and stay: a row for attacks and one for what was harmless or is unknown."""
    kind = frame["was"].where(frame["was"].isin([ATTACK, UNKNOWN]), "harmless")
    table = frame.groupby([kind, "change"]).size().unstack(fill_value=0)
    return table.reindex(columns=["appears", "vanishes", "stays"], fill_value=0)
