"""A detector of calls that somebody never made before, for tests of what is learned by days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import Ingest
from guardray.detectors.activity import Activity, Habit
from guardray.detectors.calls import PRINCIPAL, credentials, origin_of
from guardray.detectors.declare import ActivityDetector
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.stats.hashing import hash_text
from guardray.stats.measures import Count
from guardray.testing import frame_of

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
WHOSE = ("cloud_account_uid", "actor_user_uid_alt")

CALLS = Activity(
    name="calls",
    schema=api_activity.SCHEMA,
    where=pl.col("api_operation") != "Heartbeat",
    owner=("cloud_account_uid",),
    group=(*WHOSE, "actor_principal", "api_operation"),
    measures={"calls": Count()},
    habits={"api": Habit(WHOSE, ("api_operation",))},
)
NEW_CALL = ActivityDetector(
    finding_type="Discovery:IAMUser/NewCall",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=PRINCIPAL,
    activity=CALLS,
    crossed=(pl.col("api_history") > 0) & (pl.col("api_days") == 0),
    together=PRINCIPAL,
    score=pl.col("calls"),
    learning="before",
    details=lambda row: Details(
        title=f"{row['api_operation']} and {len(row['others'])} others from {origin_of(row)}",
        description="",
        resource=credentials(row),
        action=AwsApiCall.of(row),
    ),
    examples=(),
)


def call(operation: str, day: int, second: int = 0, who: str = "AIDA1", **columns) -> dict:
    time = MIDNIGHT + timedelta(days=day, seconds=second)
    text = f"{operation}{day}{second}{who}"
    known = {"actor_user_uid_alt": who, "api_operation": operation, "time": time, "event_hash": hash_text(text)}
    return known | columns


def calls_of(rows: Sequence[dict]) -> pl.DataFrame:
    return frame_of(api_activity.SCHEMA, rows)


def ingested(*frames: pl.DataFrame, detector: ActivityDetector = NEW_CALL, **surroundings) -> Ingest:
    ingest = Ingest([detector], Surroundings(**surroundings), lambda hashes, times: np.ones(len(hashes), bool))
    for frame in frames:
        ingest.on_batch(api_activity.SCHEMA, frame)
    return ingest
