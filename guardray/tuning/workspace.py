"""What a notebook works on: the data folder of a service or of `guardray train`, or simulated accounts."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Engine, Observer, ScanResult, ScanSettings
from guardray.detectors.declare import Detector
from guardray.detectors.features import FeatureSpec, specs_of
from guardray.detectors.loader import load_detectors
from guardray.errors import UsageError
from guardray.findings.finding import Finding
from guardray.geo.geography import Geography
from guardray.intel.library import load_indicators
from guardray.inventory import FACTS, read_inventory
from guardray.models import archive, registry
from guardray.models.archive import Archive
from guardray.models.family import Family
from guardray.models.policy import Policy
from guardray.models.registry import Registry
from guardray.models.training import keep, train
from guardray.simulate.evaluation import write_evaluation
from guardray.sources.limits import Limits
from guardray.sources.objects import KeyFilter, locate

if TYPE_CHECKING:
    import pandas as pd

SEED = 5
"""Of the simulated accounts: none that reports of the evaluation use."""

LATENESS = timedelta(hours=8)
"""Of simulated logs, whose files are of up to six hours."""

_DATA, _SIMULATION, _FINDINGS = "data", "simulation", "findings.json"

_VERSION_COLUMNS = {
    "version": pl.String,
    "model": pl.String,
    "until": pl.String,
    "rows": pl.Int64,
    "budget": pl.Float64,
    "in_force": pl.Boolean,
}
_FINDING_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "type": pl.String,
    "severity": pl.Float64,
    "title": pl.String,
    "account_id": pl.String,
    "count": pl.Int64,
    "first_seen": pl.Datetime("us", "UTC"),
    "last_seen": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Workspace:
    """Where everything is.

    Attributes:
        data: a folder with `archive/` and `models/`, and what is usual: of a service, or of `train --baseline`.
        state: where copies of threat lists are kept.
        logs: files, folders or buckets that may be read again; empty where nothing has to be.
        labels: what was simulated; None where nobody knows what was an attack.
        lists: threat lists, as `scan --intel` takes them.
        inventory: files of `guardray inventory export`.
        lateness: how late events may be.
    """

    data: Path
    state: Path
    logs: tuple[str, ...] = ()
    labels: Path | None = None
    lists: Path | None = None
    inventory: tuple[Path, ...] = ()
    lateness: timedelta = timedelta(hours=1)

    @classmethod
    def simulated(cls, folder: Path, *, accounts: int = 2, seed: int = SEED) -> Workspace:
        """Four weeks of accounts under change, and under attack in the last two, with baselines and models of them.

        What the folder holds already is taken as it is. What was begun and not finished is made anew, and so is what a
        version of this program left that measured other features.

        Raises:
            UsageError: the folder holds something else.
        """
        root = folder / f"accounts-{accounts}-seed-{seed}-{_features_of_today()}"
        logs, data = root / _SIMULATION, root / _DATA
        lists, inventory = logs / "indicators" / "intel.yaml", (logs / "inventory.json",)
        made = cls(data, root, (str(logs / "AWSLogs"),), logs / "labels.csv", lists, inventory, LATENESS)
        if not (data / _FINDINGS).exists():
            shutil.rmtree(root, ignore_errors=True)
            write_evaluation(logs, accounts=accounts, seed=seed)
            made.learn()
        return made

    @classmethod
    def opened(cls, data: str | Path, logs: Sequence[str] = ()) -> Workspace:
        """What a service or `guardray train` left.

        Raises:
            UsageError: there are no rows to work on.
        """
        folder = Path(data)
        if not (folder / archive.FOLDER).is_dir():
            raise UsageError(f"{folder}: no rows are kept there: it is no data folder of a service, and no baseline")
        return cls(folder, folder, tuple(logs))

    @property
    def archive(self) -> Archive:
        """Rows of features of days that are over."""
        return Archive(self.data / archive.FOLDER)

    @property
    def registry(self) -> Registry:
        """Versions of models."""
        return Registry(self.data / registry.FOLDER)

    @cached_property
    def specs(self) -> dict[str, FeatureSpec]:
        """What models look at, by name."""
        return {spec.name: spec for spec in specs_of(load_detectors())}

    def family(self, kind: str) -> Family:
        """The models of a kind of rows that are in force, or where none are, the latest that were trained.

        Raises:
            UsageError: none were.
            ModelError: they cannot be used.
        """
        version = self.registry.promotions().in_force.get(kind)
        cards = [card for card in self.registry.cards(kind)[0] if card.definition == self.specs[kind].definition]
        if version is None and not cards:
            raise UsageError(f"{kind}: no model was trained; `guardray train` does it, or notebook 02")
        return self.registry.load(kind, version or cards[-1].version)

    def versions(self, kind: str) -> pd.DataFrame:
        """The models of a kind of rows, the latest last: `version`, `model`, `until` (the last day that it learned),
        `rows`, `budget` and `in_force`."""
        in_force = self.registry.promotions().in_force.get(kind)
        cards = self.registry.cards(kind)[0]
        rows = [(one.version, one.model, one.until, one.rows, one.budget, one.version == in_force) for one in cards]
        return pl.DataFrame(rows, schema=_VERSION_COLUMNS, orient="row").to_pandas()

    def settings(self, detectors: Sequence[Detector], *, archives: bool = False) -> ScanSettings:
        """What the logs are read with. Without lists of addresses of its own, those that come with the program."""
        indicators, _ = load_indicators(self.lists, (), (), self.state, offline=True)
        return ScanSettings(
            detectors=tuple(detectors),
            indicators=indicators,
            geography=Geography.load(),
            assets=read_inventory(self.inventory) if self.inventory else FACTS.to_frame(),
            limits=Limits(lateness=self.lateness),
            archives=archives,
        )

    def scan(self, settings: ScanSettings, engine: Engine | None = None) -> ScanResult:
        """Read the logs.

        Raises:
            UsageError: there are none.
        """
        if not self.logs:
            raise UsageError("there are no logs to read again: name their folder or bucket")
        return (engine or LocalEngine(settings)).scan(locate(self.logs, KeyFilter()), Observer())

    def learn(self) -> None:
        """Read the logs, and keep what is usual, rows of features, models of them and findings in the data folder."""
        settings = self.settings(load_detectors(), archives=True)
        result = self.scan(settings)
        result.learned.save(self.data)
        for name, rows in result.features.items():
            self.archive.add(self.specs[name], rows)
        for spec in self.specs.values():
            self._train(spec)
        findings, _ = report(result, settings, datetime.now(UTC))
        (self.data / _FINDINGS).write_text(_as_frame(findings).write_json())

    def _train(self, spec: FeatureSpec) -> None:
        days, policy = self.archive.days(spec), Policy(by_hand=False)
        found = train(self.archive, spec, policy, until=days[-1], families=len(self.specs)) if days else None
        if found is not None:
            keep(self.registry, found, policy, at=datetime.now(UTC))

    def findings(self) -> pd.DataFrame:
        """What was found when the logs were read: `type`, `severity`, `title`, `account_id`, `count`, `first_seen` and
        `last_seen`. Those of a service are asked of it by `guardray.Client`."""
        path = self.data / _FINDINGS
        rows = json.loads(path.read_text()) if path.exists() else []
        times = [pl.col(name).str.to_datetime(time_zone="UTC") for name in ("first_seen", "last_seen")]
        schema = pl.Schema(_FINDING_COLUMNS) | dict.fromkeys(("first_seen", "last_seen"), pl.String())
        return pl.DataFrame(rows, schema=schema).with_columns(times).to_pandas()


def _features_of_today() -> str:
    """Names the definitions of all specs together: 8 hexadecimal digits."""
    definitions = " ".join(spec.definition for spec in specs_of(load_detectors()))
    return hashlib.blake2b(definitions.encode(), digest_size=4).hexdigest()


def _as_frame(findings: Sequence[Finding]) -> pl.DataFrame:
    rows = [
        (one.type, one.severity, one.title, one.account_id, one.count, one.event_first_seen, one.event_last_seen)
        for one in findings
    ]
    return pl.DataFrame(rows, schema=_FINDING_COLUMNS, orient="row").sort("first_seen", "type", "title")
