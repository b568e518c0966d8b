"""CloudTrail records to columns of `api_activity`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from guardray.schema.api_activity import SCHEMA
from guardray.sources.cloudtrail.cells import Bases, Cells, flags, integers, like_addresses, texts, times
from guardray.sources.cloudtrail.identity import identity_columns
from guardray.sources.cloudtrail.scan import S3_SERVICES, Scanned, number_of
from guardray.sources.cloudtrail.scanner import NULL
from guardray.sources.decoder import FIRST_TIME, LAST_TIME, Origin
from guardray.stats.hashing import hash_combine, hash_strings

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"
KEPT_CATEGORIES = ("Management", "Data")
"""Insight records repeat what other records say; network activity of VPC endpoints is no part of the schema."""

# fmt: off
S3_DATA_OPERATIONS = (
    "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "DeleteObject",
    "DeleteObjectTagging", "DeleteObjects", "GetObject", "GetObjectAcl", "GetObjectAttributes", "GetObjectLegalHold",
    "GetObjectRetention", "GetObjectTagging", "GetObjectTorrent", "HeadBucket", "HeadObject", "ListMultipartUploads",
    "ListObjectVersions", "ListObjects", "ListParts", "PutObject", "PutObjectAcl", "PutObjectLegalHold",
    "PutObjectRetention", "PutObjectTagging", "RestoreObject", "SelectObjectContent", "UploadPart", "UploadPartCopy",
)
# fmt: on
"""Source: Amazon S3 User Guide, "Amazon S3 object-level actions tracked by AWS CloudTrail logging"."""

_TEXT = {
    "metadata_uid": "event_id",
    "event_category": "event_category",
    "event_type": "event_type",
    "cloud_account_uid": "recipient_account_id",
    "cloud_region": "aws_region",
    "api_operation": "event_name",
    "api_service_name": "event_source",
    "api_response_error": "error_code",
    "api_response_message": "error_message",
    "api_request_uid": "request_id",
    "api_request_data": "request_parameters",
    "api_response_data": "response_elements",
    "additional_data": "additional_event_data",
    "src_endpoint_vpc_endpoint_uid": "vpc_endpoint_id",
    "src_endpoint_vpc_endpoint_account_uid": "vpc_endpoint_account_id",
    "http_request_user_agent": "user_agent",
    "bucket_name": "bucket_name",
    "object_key": "object_key",
}
_AMOUNTS = ("additional_bytes_in", "additional_bytes_out")
_FLAGS = {"is_read_only": "read_only", "is_management": "management_event"}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Rows of `api_activity` and, for every record, whether it became one."""

    frame: pl.DataFrame
    """The records of the kept categories, in `SCHEMA`'s columns and in the order of the records."""
    is_kept: NDArray[np.bool_]
    """Per record: of a kept category; the others are passed over."""
    is_sound: NDArray[np.bool_]
    """Per record: kept records have a time, an operation and a service. `frame` is only right if all are sound."""


def api_activity(scans: Sequence[Scanned], origins: Sequence[Origin]) -> Columns:
    """Turn records into rows.

    Args:
        scans: the records of one or more texts.
        origins: what the name of each text's object tells.
    """
    counts = [len(scanned) for scanned in scans]
    frame = pl.DataFrame([*_read(scans, counts), *_origin_columns(origins, counts)]).with_columns(**_derived())
    verdict = frame.select(
        kept=pl.col("event_category").is_in(KEPT_CATEGORIES),
        sound=_is_sound(),
    )
    frame = frame.with_columns(event_hash=event_hash(frame)).select(SCHEMA.polars.names())
    is_kept = verdict["kept"]
    return Columns(
        frame=frame if is_kept.all() else frame.filter(is_kept),
        is_kept=is_kept.to_numpy(),
        is_sound=(verdict["sound"] | ~is_kept).to_numpy(),
    )


def _read(scans: Sequence[Scanned], counts: Sequence[int]) -> list[pl.Series]:
    cells = np.concatenate([scanned.cells for scanned in scans], axis=1)
    bases = np.repeat(np.array([scanned.address for scanned in scans], np.uint64), counts)

    def of(field: str) -> Cells:
        found: Cells = cells[number_of(field)]
        return found

    source = of("source_ip_address")
    is_address = like_addresses(bases, source)
    return [
        _time(bases, of("event_time")),
        *(texts(name, bases, of(field)) for name, field in _TEXT.items()),
        *identity_columns(bases, of("user_identity")).get_columns(),
        *(integers(name, bases, of(name)) for name in _AMOUNTS),
        *(flags(name, of(field)) for name, field in _FLAGS.items()),
        texts("src_endpoint_ip", bases, np.where(is_address, source, NULL)),
        texts("src_endpoint_domain", bases, np.where(is_address, NULL, source)),
    ]


def _time(bases: Bases, cells: Cells) -> pl.Series:
    found, others = times(bases, cells)
    if not others:
        return pl.Series("time", found).cast(SCHEMA.polars["time"])
    # Few times come twice, so that polars' cache of parsed ones would cost seven times what it saves.
    text = texts("time", bases, cells).str
    return text.to_datetime(TIME_FORMAT, time_unit="us", time_zone="UTC", strict=False, cache=False)


def _origin_columns(origins: Sequence[Origin], counts: Sequence[int]) -> list[pl.Series]:
    row_origin = np.repeat(np.arange(len(origins), dtype=np.uint32), counts)
    table = pl.DataFrame(
        {
            "origin_account": [origin.account_id for origin in origins],
            "origin_region": [origin.region for origin in origins],
            "late_before": [origin.late_before for origin in origins],
            "not_after": [origin.not_after for origin in origins],
        },
        schema={
            "origin_account": pl.String,
            "origin_region": pl.String,
            "late_before": SCHEMA.polars["time"],
            "not_after": SCHEMA.polars["time"],
        },
    )
    return table[row_origin].get_columns()


def _derived() -> dict[str, pl.Expr]:
    return {
        "event_category": pl.coalesce("event_category", _category_of_old_records()),
        "cloud_account_uid": pl.coalesce("cloud_account_uid", _account_of_caller(), "origin_account"),
        "cloud_region": pl.coalesce("cloud_region", "origin_region"),
        "is_late": ~pl.col("time").is_between("late_before", "not_after").fill_null(value=True),
    }


def _is_sound() -> pl.Expr:
    service = pl.col("api_service_name")
    # S3's event notifications share names with CloudTrail's records; their eventSource is aws:s3.
    is_service = (service != "") & ~service.str.starts_with("aws:")
    is_time = pl.col("time").is_between(FIRST_TIME, LAST_TIME, closed="left")
    return (is_time & is_service & (pl.col("api_operation") != "")).fill_null(value=False)


def _category_of_old_records() -> pl.Expr:
    is_object_call = (pl.col("api_service_name") == S3_SERVICES[0]) & pl.col("api_operation").is_in(S3_DATA_OPERATIONS)
    is_data = pl.coalesce(~pl.col("is_management"), is_object_call, pl.lit(value=False))
    return pl.when(is_data).then(pl.lit("Data")).otherwise(pl.lit("Management"))


def _account_of_caller() -> pl.Expr:
    account = pl.col("actor_user_account_uid")
    # Anonymous callers have ANONYMOUS_PRINCIPAL here.
    return pl.when(account.str.len_bytes() == 12).then(account)


def event_hash(frame: pl.DataFrame) -> pl.Series:
    """Hash of what tells events apart. Two trails write one event under one id; edited copies share only the id."""
    uid = frame["metadata_uid"]
    if uid.null_count():
        content = ("api_request_uid", "api_request_data", "api_response_data", "actor_user_uid", "src_endpoint_ip")
        uid = frame.select(pl.coalesce("metadata_uid", pl.concat_str(content, separator="\n", ignore_nulls=True)))[
            "metadata_uid"
        ]
    texts = [uid, frame["api_operation"], frame["cloud_account_uid"], frame["cloud_region"]]
    time = frame["time"].to_physical().fill_null(0).to_numpy()
    return pl.Series("event_hash", hash_combine(time, *(hash_strings(text) for text in texts)))
