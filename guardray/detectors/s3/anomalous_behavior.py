"""Somebody used objects of a bucket in a way that they, or anybody in the account, do not.

Discovery:S3/AnomalousBehavior for calls that list objects or ask about them, Exfiltration:S3 for those that read or
copy them, and Impact:S3/AnomalousBehavior.Delete, .Permission and .Write for those that delete them, change who may use
them, and write them. A day of a principal with a bucket is one occurrence.

New operations, buckets, places and programs count, and how many calls of the operation a day has; not so places and
programs that many begin to work with on the same day. Objects that anyone may read are not looked at, nor AWS services.
Points count calls and not bytes; a learned model of the account, where there is one, decides with them and sees bytes
as well, as far as the log tells them. Neither can see anything in an account that has less than a week of data events.

Source: GuardDuty user guide, S3 finding types; first-seen values, medians, points and features are our own.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from guardray.detectors.activity import Activity, Hours, Level
from guardray.detectors.behaviour import (
    ACTS_ITSELF,
    AGENT,
    ALERT_POINTS,
    BUCKET,
    COUNTRY,
    CROWD_OTHERS,
    CROWD_SHARE,
    DENIED_POINTS,
    ERROR,
    FAMILIAR_DAYS,
    HAS_HISTORY,
    HISTORY_DAYS,
    IS_DENIED,
    IS_ELSEWHERE,
    IS_ESTABLISHED,
    KNOWN_ANYHOW_DAYS,
    KNOWN_PLACE_DAYS,
    LABELS,
    NETWORK,
    NEW_PLACE,
    NEW_TO_ACCOUNT,
    NEW_TO_PRINCIPAL,
    OPERATION,
    PLACE_POINTS,
    PRINCIPAL,
    REGION,
    TOLD,
    crowds_of,
    habits_of,
    newness,
    points_if,
)
from guardray.detectors.calls import OWN_CREDENTIALS, S3, S3_DATA, SUCCEEDED, bucket, called
from guardray.detectors.decisions import CLEARLY_USUAL, decided, ranked
from guardray.detectors.declare import ActivityDetector, Example, fires, on_earlier_days, quiet
from guardray.detectors.features import FeatureSpec
from guardray.detectors.moves import MOVED_CALLS, uses_as_ever
from guardray.detectors.rarity import (
    HOUR,
    PLACE,
    RHYTHMS,
    apart,
    deviation,
    is_new,
    novelties,
    rarities,
    sensitivity,
)
from guardray.detectors.s3.malicious_ip_caller import CONTENT_READS
from guardray.detectors.unusual_calls import unusual_details
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.stats.measures import Count, Sum
from guardray.types import Row

MANY_CALLS = 100
"""Calls of an operation a day below which there are never many: a person who looks through a folder makes some tens."""

MANY_DEVIATIONS = 6
"""Scaled median absolute deviations above the median from which a day has many calls: of normally spread days one in a
billion has. The day must also have twice the calls of any day before, since weekends pull the median down."""

MANY_BYTES = 100_000_000
"""Bytes of a day, read from or written to a bucket, below which a model need not look where nothing else is new."""

VERY_MANY_CALLS, VERY_MANY_TIMES = 1000, 20
"""A day with as many calls, and so many times the median, is a bulk of another kind and has one point more."""

MANY_POINTS = 2
"""Points of many calls: as much as a value that the account has never seen."""

LOOKED_INTO = 3
"""Buckets that a principal lists in an unusual way on a day, that are worth a finding where no single one is clear."""

CLEAR_POINTS = 6
"""Points from which looking into one bucket is worth a finding of its own, unless the account knows neither the
operation nor the place."""

PARTS = (OPERATION, BUCKET, NETWORK, COUNTRY, AGENT)
PROFILED = (*PARTS, REGION, ERROR)

PRINCIPAL_AND_BUCKET = (*PRINCIPAL, "bucket_name")

BUCKET_PERMISSIONS = ("DeleteBucketPolicy", "PutBucketAcl", "PutBucketPolicy")
"""Management calls that change who may use all objects of a bucket."""

IS_ANONYMOUS = (pl.col("actor_user_account_uid") == "ANONYMOUS_PRINCIPAL") | pl.col("actor_principal").is_null()

IS_LET_IN = OWN_CREDENTIALS | SUCCEEDED
"""Anybody with an AWS account can call, and is denied: that must neither alarm nor make a place or a program known."""

CALLS = Activity(
    name="object calls",
    schema=api_activity.SCHEMA,
    where=(S3_DATA | called(S3, *BUCKET_PERMISSIONS))
    & ACTS_ITSELF
    & IS_ANONYMOUS.fill_null(False).not_()
    & IS_LET_IN
    & pl.col("bucket_name").is_not_null(),
    owner=("cloud_account_uid",),
    group=(*PRINCIPAL, "api_response_error", *(column for part in PARTS for column in part.columns)),
    measures={
        "calls": Count(),
        "hours": Hours(),
        "bytes_in": Sum("additional_bytes_in"),
        "bytes_out": Sum("additional_bytes_out"),
    },
    labels=LABELS,
    habits=habits_of(PROFILED),
    levels={
        "volume": Level((*PRINCIPAL, "api_operation"), "calls"),
        "objects": Level(PRINCIPAL_AND_BUCKET, "calls"),
        "read": Level(PRINCIPAL_AND_BUCKET, "bytes_out"),
        "written": Level(PRINCIPAL_AND_BUCKET, "bytes_in"),
        "buckets_a_day": Level(PRINCIPAL, pl.col("bucket_name").drop_nulls().n_unique()),
        "denied_a_day": Level(PRINCIPAL, pl.col("calls").filter(IS_DENIED).sum()),
    },
    rhythms=RHYTHMS,
    crowds=crowds_of(PARTS),
    actors=PRINCIPAL,
    room=PRINCIPAL,
    latest=TOLD,
)

OPERATION_POINTS = newness(OPERATION)

_MEDIAN, _TODAY = pl.col("volume_median").fill_null(0.0), pl.col("volume_today")
_SCALED_DEVIATION = 1.4826 * pl.col("volume_mad").fill_null(0.0)

IS_MANY = (
    (_TODAY >= MANY_CALLS)
    & (_TODAY > _MEDIAN + MANY_DEVIATIONS * _SCALED_DEVIATION)
    & (2 * pl.col("volume_max").fill_null(0) < _TODAY)
)
IS_VERY_MANY = IS_MANY & (_TODAY >= VERY_MANY_CALLS) & (_TODAY >= VERY_MANY_TIMES * _MEDIAN)

POINTS = (
    OPERATION_POINTS
    + newness(BUCKET)
    + PLACE_POINTS
    + newness(AGENT)
    + points_if(IS_MANY, MANY_POINTS)
    + points_if(IS_VERY_MANY, NEW_TO_PRINCIPAL)
    + points_if(IS_DENIED & (OPERATION_POINTS > 0), DENIED_POINTS)
)

IS_KNOWN_OR_STRANGE = IS_ESTABLISHED | (IS_ELSEWHERE & ((OPERATION_POINTS > 0) | IS_MANY))
"""What is new to a new principal is nothing: it must be elsewhere and do what nobody does, or much of it."""

IS_BULK = pl.any_horizontal(
    (pl.col(f"{level}_today") >= MANY_BYTES) & (pl.col(f"{level}_z") >= MANY_DEVIATIONS)
    for level in ("read", "written")
)
"""Far more bytes than on other days, whatever else is as usual."""

SPEC = FeatureSpec(
    name="object-calls",
    activity=CALLS,
    candidates=HAS_HISTORY & ((POINTS > 0) | is_new(REGION) | IS_BULK),
    whose=PRINCIPAL,
    features=(
        *rarities(PROFILED),
        *novelties(PARTS),
        PLACE,
        HOUR,
        deviation("calls", "volume", "more calls of the operation than it makes on a day"),
        deviation("objects", "objects", "more calls for the bucket than it makes on a day"),
        deviation("bytes_read", "read", "more bytes read from the bucket than on other days"),
        deviation("bytes_written", "written", "more bytes written to the bucket than on other days"),
        deviation("buckets", "buckets_a_day", "more buckets than it uses on a day"),
        deviation("denials", "denied_a_day", "more calls that were denied than on other days"),
        sensitivity(OPERATION),
        apart(BUCKET),
    ),
)

_AS_EVER = uses_as_ever(IS_MANY)
_BY_POINTS = HAS_HISTORY & (POINTS >= ALERT_POINTS) & IS_KNOWN_OR_STRANGE & ~_AS_EVER
_IS_NEWS = HAS_HISTORY & ((POINTS > 0) | IS_BULK.fill_null(False)) & IS_KNOWN_OR_STRANGE & ~_AS_EVER

GROUPS: dict[str, tuple[str, ...]] = {
    "Exfiltration:S3/AnomalousBehavior": CONTENT_READS,
    "Impact:S3/AnomalousBehavior.Delete": ("DeleteObject", "DeleteObjects", "DeleteObjectTagging"),
    "Impact:S3/AnomalousBehavior.Permission": ("PutObjectAcl", *BUCKET_PERMISSIONS),
    "Impact:S3/AnomalousBehavior.Write": (
        "CompleteMultipartUpload",
        "CreateMultipartUpload",
        "PostObject",
        "PutObject",
        "PutObjectLegalHold",
        "PutObjectRetention",
        "PutObjectTagging",
        "RenameObject",
        "RestoreObject",
        "UpdateObjectEncryption",
        "UploadPart",
    ),
}
"""Finding type: its operations. Those of no type are discovery."""

DISCOVERY = "Discovery:S3/AnomalousBehavior"

_GROUPED = [operation for operations in GROUPS.values() for operation in operations]

_IS_LISTING = pl.col("api_operation").is_in(_GROUPED).not_()
_LISTED = _BY_POINTS & _IS_LISTING
_IS_CLEAR = (POINTS >= CLEAR_POINTS) | (IS_ELSEWHERE & (OPERATION_POINTS == NEW_TO_ACCOUNT))
_BUCKETS = pl.col("bucket_name").filter(_LISTED.fill_null(False)).n_unique().over(*PRINCIPAL, "window_start")

CROSSED = {
    DISCOVERY: decided(_LISTED & (_IS_CLEAR | (_BUCKETS >= LOOKED_INTO)), _IS_NEWS & _IS_LISTING),
    **{
        name: decided(
            _BY_POINTS & pl.col("api_operation").is_in(operations), _IS_NEWS & pl.col("api_operation").is_in(operations)
        )
        for name, operations in GROUPS.items()
    },
}

TUNABLES = {
    "history_days": HISTORY_DAYS,
    "alert_points": ALERT_POINTS,
    "clearly_usual": CLEARLY_USUAL,
    "new_to_account": NEW_TO_ACCOUNT,
    "new_to_principal": NEW_TO_PRINCIPAL,
    "new_place": NEW_PLACE,
    "known_place_days": KNOWN_PLACE_DAYS,
    "known_anyhow_days": KNOWN_ANYHOW_DAYS,
    "denied_points": DENIED_POINTS,
    "familiar_days": FAMILIAR_DAYS,
    "crowd_others": CROWD_OTHERS,
    "crowd_share": CROWD_SHARE,
    "moved_calls": MOVED_CALLS,
    "many_points": MANY_POINTS,
    "many_calls": MANY_CALLS,
    "many_deviations": MANY_DEVIATIONS,
    "very_many_calls": VERY_MANY_CALLS,
    "very_many_times": VERY_MANY_TIMES,
    "many_bytes": MANY_BYTES,
}
FOR_DISCOVERY = {"clear_points": CLEAR_POINTS, "looked_into": LOOKED_INTO}


def describer(tactic: str) -> Callable[[Row], Details]:
    """How findings about calls that serve a tactic are described."""

    def details(row: Row) -> Details:
        return unusual_details(row, tactic, PARTS, SPEC, bucket(row), volume_of(row))

    return details


def volume_of(row: Row) -> str:
    """How often the operation was called on the day, beside what is usual, in a sentence."""
    median = row["volume_median"]
    usual = "it was never called on earlier days" if median is None else f"usual are {median:g} a day"
    return f"{row['api_operation']} was called {row['volume_today']} times on that day; {usual}."


OFFICE, HOTEL = "198.51.100.7", "203.0.113.40"
PLACES = {OFFICE: ("DE", 64500), HOTEL: ("BR", 64510)}

READ = {
    "event_category": "Data",
    "api_service_name": S3,
    "api_operation": "GetObject",
    "actor_user_type": "IAMUser",
    "actor_user_name": "alice",
    "actor_user_uid_alt": "AIDAALICE",
    "actor_user_account_uid": "111122223333",
    "src_endpoint_ip": OFFICE,
    "bucket_name": "records",
    "object_key": "2024/05.csv",
}
HISTORY = on_earlier_days(8, READ, READ | {"bucket_name": "plans"})

OPERATIONS = {
    DISCOVERY: "GetObjectAcl",
    "Exfiltration:S3/AnomalousBehavior": "CopyObject",
    "Impact:S3/AnomalousBehavior.Delete": "DeleteObject",
    "Impact:S3/AnomalousBehavior.Permission": "PutObjectAcl",
    "Impact:S3/AnomalousBehavior.Write": "PutObject",
}
"""An operation of each finding type, which nobody in the examples calls otherwise."""

SEVERITIES = {DISCOVERY: 2.0, "Impact:S3/AnomalousBehavior.Write": 5.0}
"""Those that are not High."""


def _examples(finding_type: str) -> tuple[Example, ...]:
    call = READ | {"api_operation": OPERATIONS[finding_type]}
    stolen = call | {"src_endpoint_ip": HOTEL, "http_request_user_agent": "rclone/v1.66"}
    known = on_earlier_days(8, call)
    payroll = call | {"bucket_name": "payroll"}
    some, many, very_many = [payroll] * 20, [payroll] * MANY_CALLS, [payroll] * VERY_MANY_CALLS
    by_service = stolen | {"actor_invoked_by": "athena.amazonaws.com"}
    stranger = {"actor_user_account_uid": "444455556666", "actor_user_type": "AWSAccount", "actor_user_name": None}
    denied = stolen | stranger | {"actor_user_uid_alt": "AIDAMALLORY", "api_response_error": "AccessDenied"}
    anonymous = stolen | {"actor_user_account_uid": "ANONYMOUS_PRINCIPAL", "actor_user_uid_alt": ""}
    return (
        fires("a new operation comes from a new place", *HISTORY, stolen, places=PLACES),
        fires("it is denied", *HISTORY, stolen | {"api_response_error": "AccessDenied"}, places=PLACES),
        fires("very many new calls are for a new bucket", *HISTORY, *very_many, places=PLACES),
        quiet("a few calls are for a new bucket", *HISTORY, *known, *some, places=PLACES),
        quiet("the operation is new, the rest is as usual", *HISTORY, call, places=PLACES),
        quiet("usual calls come from a new place", *HISTORY, *known, call | {"src_endpoint_ip": HOTEL}, places=PLACES),
        quiet("many calls are usual", *HISTORY, *on_earlier_days(8, *many), *many, places=PLACES),
        quiet("the account is new", *on_earlier_days(3, READ), stolen, places=PLACES),
        quiet("a service acts for the caller", *HISTORY, by_service, places=PLACES),
        fires("a stranger was denied the same for days", *HISTORY, *on_earlier_days(2, denied), stolen, places=PLACES),
        quiet("a stranger is denied", *HISTORY, denied, places=PLACES),
        quiet("the object is public", *HISTORY, anonymous, places=PLACES),
        quiet("the bucket is unknown", *HISTORY, stolen | {"bucket_name": None}, places=PLACES),
    )


def detector(finding_type: str) -> ActivityDetector:
    tactic = finding_type.partition(":")[0]
    return ActivityDetector(
        finding_type=finding_type,
        severity=SEVERITIES.get(finding_type, 8.0),
        source="cloudtrail-s3",
        schema=api_activity.SCHEMA,
        role="TARGET",
        entity=("actor_principal", "bucket_name"),
        activity=CALLS,
        crossed=CROSSED[finding_type],
        together=PRINCIPAL_AND_BUCKET,
        score=ranked(POINTS),
        learning="before",
        spec=SPEC,
        details=describer(tactic),
        tunables=TUNABLES | (FOR_DISCOVERY if finding_type == DISCOVERY else {}),
        examples=_examples(finding_type),
    )


DETECTORS = tuple(map(detector, OPERATIONS))
