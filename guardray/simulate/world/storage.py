"""Buckets of an account and the trail that logs into one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from guardray.simulate.randomness import pick, stream, token

Purpose = Literal["trail", "archive", "logs", "backup", "assets", "data"]

_SUBJECTS = (
    "orders",
    "invoices",
    "catalogue",
    "uploads",
    "reports",
    "exports",
    "media",
    "leads",
    "parrot-cam",
    "models",
)


@dataclass(frozen=True)
class Bucket:
    """A bucket by name and what it is for."""

    name: str
    purpose: Purpose

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.name}"


@dataclass(frozen=True)
class Trail:
    """A trail and the bucket that it logs into."""

    name: str
    arn: str
    bucket: Bucket


def build_buckets(seed: int, account: str, company: str, count: int) -> tuple[Bucket, ...]:
    """Two buckets for trails, one for other logs, one for backups, the rest for assets and data."""
    rng = stream(seed, account, "buckets")
    fixed = [
        Bucket(f"{company}-trail-{token(rng, 6)}", "trail"),
        Bucket(f"{company}-trail-archive-{token(rng, 6)}", "archive"),
        Bucket(f"{company}-logs-{token(rng, 6)}", "logs"),
        Bucket(f"{company}-backup-{token(rng, 6)}", "backup"),
    ]
    others: list[Bucket] = []
    for index in range(max(count - len(fixed), 4)):
        purpose: Purpose = "assets" if index % 3 == 0 else "data"
        others.append(Bucket(f"{company}-{pick(rng, _SUBJECTS)}-{token(rng, 6)}", purpose))
    return (*fixed, *others)


def build_trails(region: str, account: str, company: str, buckets: tuple[Bucket, ...]) -> tuple[Trail, ...]:
    """The main trail, two more that log into its bucket, and one with a bucket of its own."""
    places = {"main": buckets[0], "regional": buckets[0], "sandbox": buckets[0], "archive": buckets[1]}
    return tuple(
        Trail(f"{company}-{name}", f"arn:aws:cloudtrail:{region}:{account}:trail/{company}-{name}", bucket)
        for name, bucket in places.items()
    )
