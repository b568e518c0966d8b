"""Two simulated accounts, written once for all tests, and ways to read them back."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from once import Once

from guardray.simulate import Rates, Summary, simulate
from guardray.simulate.evaluation import write_evaluation

SEED = 5
EVALUATION_SEED = 3
DAYS = 0.5
RATE = Rates.named("quiet")


def lines_of(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


@dataclass(frozen=True)
class Logs:
    """What a simulation wrote, read with the plainest tools there are."""

    summary: Summary

    @property
    def folder(self) -> Path:
        return self.summary.folder

    def files(self, source: str) -> list[Path]:
        return sorted(self.folder.glob(f"AWSLogs/*/{source}/**/*.gz"))

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        return [
            event
            for path in self.files("CloudTrail")
            for event in json.loads(gzip.decompress(path.read_bytes()))["Records"]
        ]

    @cached_property
    def queries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for path in self.files("vpcdnsquerylogs") for line in lines_of(path)]

    @cached_property
    def flows(self) -> pl.DataFrame:
        """The fields that both text formats have; NODATA records left out."""
        names = (
            "account-id",
            "interface-id",
            "srcaddr",
            "dstaddr",
            "srcport",
            "dstport",
            "protocol",
            "packets",
            "start",
            "action",
        )
        frames = [
            pl.read_csv(gzip.decompress(path.read_bytes()), separator=" ", infer_schema=False).select(
                *names, "log-status"
            )
            for path in self.files("vpcflowlogs")
        ]
        numbers = ("srcport", "dstport", "protocol", "packets", "start")
        return pl.concat(frames).filter(pl.col("log-status") == "OK").cast(dict.fromkeys(numbers, pl.Int64))

    @cached_property
    def labels(self) -> list[dict[str, str]]:
        with (self.folder / "labels.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Every attack in the first account, some in the second, half a day each."""
    return Logs(simulate(tmp_path_factory.mktemp("logs") / "out", accounts=2, days=DAYS, seed=SEED, rate=RATE))


@pytest.fixture(scope="session")
def peaceful(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """The same accounts without any attack."""
    folder = tmp_path_factory.mktemp("peaceful") / "out"
    return Logs(simulate(folder, accounts=2, days=DAYS, seed=SEED, rate=RATE, attacks=()))


@pytest.fixture(scope="session")
def evaluation(once: Once) -> Path:
    """The folder of an account to measure detectors of behaviour on, written once in a run."""
    return once.folder("evaluation", lambda folder: write_evaluation(folder, accounts=1, seed=EVALUATION_SEED))
