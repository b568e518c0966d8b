"""A service in this process, driven step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from guardray.connectors.folder import FolderConfig, FolderSource
from guardray.connectors.source import ContinuousSource
from guardray.context.enrich import Indicators, Surroundings
from guardray.dataflow.scan import ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.findings.finding import Finding
from guardray.findings.wire import to_json
from guardray.geo.geography import Geography
from guardray.intel.library import load_indicators
from guardray.inventory import read_inventory
from guardray.service.coordinator import Coordinator
from guardray.service.crew import Crew, LocalCrew
from guardray.service.listener import Listener
from guardray.service.models import Versions
from guardray.service.pace import Pace
from guardray.store.findings import FindingStore
from guardray.store.service import ServiceStore

Plain = dict[str, dict[str, Any]]
"""Findings by id, without what the clock on the wall says, and with their evidence."""


def settings_of(account: Path) -> ScanSettings:
    """What to look for in a simulated account: all finding types."""
    lists = account / "indicators"
    indicators, _ = load_indicators(
        lists / "intel.yaml", [lists / "threat-list.txt"], [lists / "trusted-list.txt"], account / "state", offline=True
    )
    return ScanSettings(
        detectors=load_detectors(),
        indicators=indicators,
        geography=Geography.load((), None),
        assets=read_inventory([account / "inventory.json"]),
    )


def plain(findings: Iterable[Finding]) -> Plain:
    found = {}
    for finding in findings:
        content = to_json(finding)
        content.pop("createdAt"), content.pop("updatedAt")
        evidence = [[row.time.isoformat(), row.digest] for row in finding.evidence]
        found[finding.id] = msgspec.to_builtins({"finding": content, "evidence": evidence})
    return found


def stored(store_url: str) -> Plain:
    """What everybody sees in a store."""
    from dataclasses import replace

    with FindingStore.open(store_url) as store:
        return plain(replace(one, evidence=store.evidence(one.id)) for one in store.findings())


class Clock:
    """Goes on by itself, a second each time that it is looked at, so that files lie still and checkpoints fall due."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Service:
    """A coordinator of its own store, as a process would have it."""

    def __init__(
        self,
        settings: ScanSettings,
        source: ContinuousSource,
        store_url: str,
        checkpoints_url: str,
        *,
        crew: Crew | None = None,
        pace: Pace | None = None,
        listener: Listener | None = None,
        clock: Callable[[], datetime] | None = None,
        models: Callable[[], Versions] = dict,
        lists: Indicators | None = None,
    ) -> None:
        self.store = ServiceStore.open(store_url)
        self._clock = clock or Clock()
        self.coordinator = Coordinator(
            settings,
            lists or settings.indicators,
            crew or LocalCrew(settings, shards=2),
            source,
            self.store,
            checkpoints_url,
            pace=pace or Pace(max_objects=100, checkpoint_every=timedelta(seconds=40)),
            listener=listener,
            models=models,
            clock=self._clock,
            sleep=lambda seconds: None,
        )

    def start(self) -> None:
        fence = self.store.lease.acquire("a test", self._clock(), timedelta(seconds=10), take_over=True)
        self.coordinator.start(fence)

    def run(self) -> None:
        self.start()
        self.coordinator.finish()
        self.coordinator.stop()
        self.store.close()


def folder_source(folder: Path, clock: Callable[[], datetime] | None = None) -> FolderSource:
    return FolderSource(FolderConfig(path=folder, still=timedelta(0)), clock or Clock())


__all__ = ["Clock", "Plain", "Service", "Surroundings", "folder_source", "plain", "settings_of", "stored"]
