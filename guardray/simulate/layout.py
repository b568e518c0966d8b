"""Where AWS puts each log file in a bucket, and the files themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from isal import igzip

from guardray.simulate.randomness import ALPHANUMERIC, HEX, token

GZIP_LEVEL = 1


def stamp(seconds: float) -> str:
    """A time as AWS writes it into file names: 20260105T1015Z."""
    return _moment(seconds).strftime("%Y%m%dT%H%MZ")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def cloudtrail_key(account: str, region: str, delivered: float, rng: np.random.Generator) -> str:
    """Key of a CloudTrail file, by the time when it was delivered."""
    name = f"{account}_CloudTrail_{region}_{stamp(delivered)}_{token(rng, 16, ALPHANUMERIC)}.json.gz"
    return f"AWSLogs/{account}/CloudTrail/{region}/{_moment(delivered):%Y/%m/%d}/{name}"


def flow_key(account: str, region: str, flow_log: str, published: float, rng: np.random.Generator) -> str:
    """Key of a text VPC Flow Logs file, by the end of what it holds."""
    name = f"{account}_vpcflowlogs_{region}_{flow_log}_{stamp(published)}_{token(rng, 8, HEX)}.log.gz"
    return f"AWSLogs/{account}/vpcflowlogs/{region}/{_moment(published):%Y/%m/%d}/{name}"


def flow_parquet_key(account: str, region: str, flow_log: str, published: float, rng: np.random.Generator) -> str:
    """Key of a Parquet VPC Flow Logs file with Hive-compatible, hourly prefixes."""
    name = f"{account}_vpcflowlogs_{region}_{flow_log}_{stamp(published)}_{token(rng, 8, HEX)}.log.parquet"
    parts = f"{_moment(published):year=%Y/month=%m/day=%d/hour=%H}"
    return f"AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/{parts}/{name}"


def dns_key(account: str, vpc: str, published: float, rng: np.random.Generator) -> str:
    """Key of a Route 53 Resolver query log file."""
    name = f"{vpc}_vpcdnsquerylogs_{account}_{stamp(published)}_{token(rng, 8, HEX)}.log.gz"
    return f"AWSLogs/{account}/vpcdnsquerylogs/{vpc}/{_moment(published):%Y/%m/%d}/{name}"


@dataclass
class Output:
    """The folder that files are written to, with counts of what was written by source."""

    folder: Path
    rows: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)  # in bytes
    files: Counter[str] = field(default_factory=Counter)

    def write(self, source: str, key: str, body: bytes, rows: int) -> None:
        """Write one file as it is and count it."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self.rows[source] += rows
        self.sizes[source] += len(body)
        self.files[source] += 1

    def write_gzip(self, source: str, key: str, body: bytes, rows: int) -> None:
        """Write one gzipped file and count it. No time is stored, so equal contents give equal files."""
        self.write(source, key, igzip.compress(body, GZIP_LEVEL, mtime=0), rows)
