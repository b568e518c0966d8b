"""CloudTrail records to columns of `api_activity`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from guardray.schema.api_activity import SCHEMA
from guardray.sources.cloudtrail.identity import identity_columns
from guardray.sources.cloudtrail.json_values import json_text
from guardray.sources.cloudtrail.records import FLAGS, Record, Wire
from guardray.sources.decoder import FIRST_TIME, LAST_TIME, Origin
from guardray.stats.hashing import hash_combine, hash_strings

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"
KEPT_CATEGORIES = ("Management", "Data")
"""Insight records repeat what other records say; network activity of VPC endpoints is no part of the schema."""

S3_SERVICES = ("s3.amazonaws.com", "s3express.amazonaws.com", "s3-outposts.amazonaws.com", "s3control.amazonaws.com")

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

_RECORD_TEXT = {
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
    "src_endpoint_ip": "source_ip_address",
    "src_endpoint_vpc_endpoint_uid": "vpc_endpoint_id",
    "src_endpoint_vpc_endpoint_account_uid": "vpc_endpoint_account_id",
    "http_request_user_agent": "user_agent",
}
_JSON_TEXT = {
    "api_request_data": "request_parameters",
    "api_response_data": "response_elements",
    "additional_data": "additional_event_data",
}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Rows of `api_activity` and, for every record, whether it became one."""

    frame: pl.DataFrame
    """The records of the kept categories, in `SCHEMA`'s columns and in the order of the records."""
    is_kept: NDArray[np.bool_]
    """Per record: of a kept category; the others are passed over."""
    is_sound: NDArray[np.bool_]
    """Per record: kept records have a time, an operation and a service. `frame` is only right if all are sound."""


def api_activity(records: Sequence[Record], origins: Sequence[Origin], counts: Sequence[int]) -> Columns:
    """Turn records into rows.

    Args:
        records: of one or more objects, one object after another.
        origins: what each object's name tells.
        counts: how many records each object has; they sum up to `len(records)`.
    """
    frame = pl.DataFrame(_wire_columns(records)).with_columns(_origin_columns(origins, counts))
    frame = frame.with_columns(_s3_targets(frame, records))
    frame = frame.with_columns(_time()).with_columns(**_derived())
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


def _wire_columns(records: Sequence[Record]) -> list[pl.Series]:
    return [
        _texts("event_time", records, "event_time"),
        *(_texts(name, records, field) for name, field in _RECORD_TEXT.items()),
        *(json_text(name, list(map(attrgetter(field), records))) for name, field in _JSON_TEXT.items()),
        *identity_columns([record.user_identity for record in records]).get_columns(),
        _flags("is_read_only", records, "read_only"),
        _flags("is_management", records, "management_event"),
    ]


def _texts(name: str, records: Sequence[Record], field: str) -> pl.Series:
    return pl.Series(name, list(map(attrgetter(field), records)), dtype=pl.String)


def _flags(name: str, records: Sequence[Record], field: str) -> pl.Series:
    return pl.Series(name, list(map(FLAGS.get, map(attrgetter(field), records))), dtype=pl.Boolean)


def _origin_columns(origins: Sequence[Origin], counts: Sequence[int]) -> list[pl.Series]:
    row_origin = np.repeat(np.arange(len(origins), dtype=np.uint32), counts)
    table = pl.DataFrame(
        {
            "origin_account": [origin.account_id for origin in origins],
            "origin_region": [origin.region for origin in origins],
            "late_before": [origin.late_before for origin in origins],
        },
        schema={"origin_account": pl.String, "origin_region": pl.String, "late_before": SCHEMA.polars["time"]},
    )
    return table[row_origin].get_columns()


class _S3Parameters(Wire):
    bucket_name: str | None = None
    key: str | None = None


_S3_PARAMETERS = msgspec.json.Decoder(_S3Parameters | None)


def _s3_targets(frame: pl.DataFrame, records: Sequence[Record]) -> list[pl.Series]:
    rows = frame.select(pl.col("api_service_name").is_in(S3_SERVICES).fill_null(value=False).arg_true()).to_series()
    buckets: list[str | None] = [None] * len(records)
    keys: list[str | None] = [None] * len(records)
    targets = _s3_parameters([records[row].request_parameters for row in rows.to_list()])
    for row, target in zip(rows.to_list(), targets, strict=True):
        if target is not None:
            buckets[row], keys[row] = target.bucket_name, target.key
    return [pl.Series("bucket_name", buckets, dtype=pl.String), pl.Series("object_key", keys, dtype=pl.String)]


def _s3_parameters(parameters: Sequence[msgspec.Raw]) -> list[_S3Parameters | None]:
    try:
        return _S3_PARAMETERS.decode_lines(b"\n".join(parameters))
    except ValueError:
        return [_s3_parameter(value) for value in parameters]


def _s3_parameter(parameters: msgspec.Raw) -> _S3Parameters | None:
    try:
        parameter: _S3Parameters | None = _S3_PARAMETERS.decode(parameters)
    except ValueError:  # not an object, or the names are not texts: they stay readable in api_request_data
        return None
    return parameter


def _time() -> pl.Expr:
    # Few times come twice, so that polars' cache of parsed ones would cost seven times what it saves.
    text = pl.col("event_time").str
    return text.to_datetime(TIME_FORMAT, time_unit="us", time_zone="UTC", strict=False, cache=False).alias("time")


def _derived() -> dict[str, pl.Expr]:
    # An address, or what a publisher made of one: 08.1.250.216 is none, yet it is no name either.
    is_address = pl.col("src_endpoint_ip").str.contains(r"^[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+$")
    return {
        "event_category": pl.coalesce("event_category", _category_of_old_records()),
        "cloud_account_uid": pl.coalesce("cloud_account_uid", _account_of_caller(), "origin_account"),
        "cloud_region": pl.coalesce("cloud_region", "origin_region"),
        "src_endpoint_ip": pl.when(is_address).then(pl.col("src_endpoint_ip")),
        "src_endpoint_domain": pl.when(~is_address).then(pl.col("src_endpoint_ip")),
        "is_late": (pl.col("time") < pl.col("late_before")).fill_null(value=False),
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
