"""From what the board shows to findings, and from findings to the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from guardray.dataflow.report import findings_of
from guardray.dataflow.scan import ScanSettings
from guardray.detectors.declare import Detector
from guardray.errors import DetectorError
from guardray.findings import identity
from guardray.findings.finding import Finding
from guardray.findings.sighting import Sighting, SightingKey
from guardray.intel.store import IndicatorStore
from guardray.inventory import Inventory
from guardray.service.board import Shown
from guardray.service.switches import Switches
from guardray.store.open_parts import fold_open, open_findings


@dataclass(frozen=True)
class Told:
    """Findings of an epoch, ready to be written. See `guardray.store.open_parts.fold_open`."""

    final: list[Finding]
    opened: list[Finding]
    open_ids: frozenset[str]
    problems: list[DetectorError]
    now: datetime
    detectors: Mapping[str, Detector]

    def fold(self, connection: Connection) -> tuple[int, int]:
        """Write them in the open transaction. Returns how many were new, and how many changed.

        Left out is what is switched off at this moment. What was told in part before stays as it is until that part
        is complete, and is completed then: it can neither be taken back nor be told which half was looked at.
        """
        switches, begun = Switches.read(connection), open_findings(connection)
        final = [one for one in self.final if self._is_on(one, switches) or one.id in begun]
        completed = begun & {one.id for one in final}
        opened = [one for one in self.opened if self._is_on(one, switches) or one.id in completed]
        return fold_open(connection, final, opened, self.open_ids, self.now)

    def _is_on(self, finding: Finding, switches: Switches) -> bool:
        return switches.let(finding, self.detectors[finding.type])


class Reporter:
    """Describes sightings by what is known of them.

    Args:
        settings: whose detectors describe.
    """

    def __init__(self, settings: ScanSettings) -> None:
        self._detectors = {detector.finding_type: detector for detector in settings.detectors}
        self._geography = settings.geography

    def tell(self, shown: Shown, inventory: Inventory, lists: IndicatorStore, now: datetime) -> Told:
        """The findings of what is shown, also of what is switched off or in DRY_RUN: that is left out in writing.

        Args:
            lists: that findings name.
        """
        final, problems = self._findings(shown.final, inventory, lists, now)
        opened, more = self._findings(shown.open, inventory, lists, now)
        return Told(final, opened, frozenset(map(_id, shown.open_keys)), problems + more, now, self._detectors)

    def _findings(
        self, sightings: Sequence[Sighting], inventory: Inventory, lists: IndicatorStore, now: datetime
    ) -> tuple[list[Finding], list[DetectorError]]:
        return findings_of(sightings, self._detectors, now, inventory, self._geography, lists)


def _id(key: SightingKey) -> str:
    return identity.finding_id(key, identity.detector_id(key.account_id, key.region))
