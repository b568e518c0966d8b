"""From what the board shows to findings, and from findings to the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from guardray.context.enrich import Indicators
from guardray.dataflow.report import findings_of
from guardray.dataflow.scan import ScanSettings
from guardray.errors import DetectorError
from guardray.findings import identity
from guardray.findings.finding import Finding
from guardray.findings.sighting import Sighting, SightingKey
from guardray.inventory import Inventory
from guardray.service.board import Shown
from guardray.store.open_parts import fold_open


@dataclass(frozen=True)
class Told:
    """Findings of an epoch, ready to be written. See `guardray.store.open_parts.fold_open`."""

    final: list[Finding]
    opened: list[Finding]
    open_ids: frozenset[str]
    problems: list[DetectorError]
    now: datetime

    def fold(self, connection: Connection) -> tuple[int, int]:
        """Write them in the open transaction. Returns how many were new, and how many changed."""
        return fold_open(connection, self.final, self.opened, self.open_ids, self.now)


class Reporter:
    """Describes sightings by what is known of them.

    Args:
        settings: whose detectors describe.
        lists: that findings name, as they are at the time.
    """

    def __init__(self, settings: ScanSettings, lists: Indicators) -> None:
        self._detectors = {detector.finding_type: detector for detector in settings.detectors}
        self._geography = settings.geography
        self._lists = lists

    def tell(self, shown: Shown, inventory: Inventory, now: datetime) -> Told:
        """The findings of what is shown. Those of detectors in DRY_RUN are made and left out."""
        final, problems = self._findings(shown.final, inventory, now)
        opened, more = self._findings(shown.open, inventory, now)
        return Told(final, opened, frozenset(map(_id, shown.open_keys)), problems + more, now)

    def _findings(
        self, sightings: Sequence[Sighting], inventory: Inventory, now: datetime
    ) -> tuple[list[Finding], list[DetectorError]]:
        findings, problems = findings_of(
            sightings, self._detectors, now, inventory, self._geography, self._lists.current()
        )
        return [one for one in findings if self._detectors[one.type].mode == "LIVE"], problems


def _id(key: SightingKey) -> str:
    return identity.finding_id(key, identity.detector_id(key.account_id, key.region))
