"""Bare decode: how fast libraries alone read these files into columns, nothing detected.

The readers are those that the benchmark was defined with, and that rates are compared against from version to version;
where a source has several, the fastest counts. They are not the fastest of all: Polars' CSV reader takes the default
flow format at 1.5 times the rate of pyarrow's (2.3 against 1.5 million rows a second, gunzip included).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
from isal import igzip

FLOW_STRINGS = ("account-id", "interface-id", "srcaddr", "dstaddr", "action", "log-status")


class _Session(msgspec.Struct):
    type: str | None = None
    arn: str | None = None
    principalId: str | None = None  # noqa: N815, as CloudTrail spells it
    accountId: str | None = None  # noqa: N815
    accessKeyId: str | None = None  # noqa: N815
    userName: str | None = None  # noqa: N815
    invokedBy: str | None = None  # noqa: N815


class _Event(msgspec.Struct):
    eventTime: str  # noqa: N815
    eventID: str  # noqa: N815
    eventName: str  # noqa: N815
    eventSource: str  # noqa: N815
    awsRegion: str  # noqa: N815
    userIdentity: _Session = msgspec.field(default_factory=_Session)  # noqa: N815
    recipientAccountId: str | None = None  # noqa: N815
    sourceIPAddress: str | None = None  # noqa: N815
    userAgent: str | None = None  # noqa: N815
    errorCode: str | None = None  # noqa: N815
    errorMessage: str | None = None  # noqa: N815
    eventCategory: str | None = None  # noqa: N815
    requestParameters: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815
    responseElements: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815


class _Trail(msgspec.Struct):
    Records: list[_Event]


class _Answer(msgspec.Struct):
    Rdata: str | None = None
    Type: str | None = None


class _Query(msgspec.Struct):
    query_timestamp: str
    query_name: str
    account_id: str | None = None
    region: str | None = None
    vpc_id: str | None = None
    query_type: str | None = None
    rcode: str | None = None
    srcaddr: str | None = None
    srcport: str | None = None
    answers: list[_Answer] = []
    srcids: dict[str, str] = {}


def _gunzip(file: Path) -> bytes:
    text: bytes = igzip.decompress(file.read_bytes())  # type: ignore[no-untyped-call]
    return text


def cloudtrail_typed(files: Sequence[Path]) -> int:
    """gunzip with isal, typed structs with msgspec, one Arrow column a field."""
    decoder = msgspec.json.Decoder(_Trail)
    names = [
        name
        for name in _Event.__struct_fields__
        if name not in ("userIdentity", "requestParameters", "responseElements")
    ]
    rows = 0
    for file in files:
        events = decoder.decode(_gunzip(file)).Records
        columns = {name: pa.array([getattr(event, name) for event in events]) for name in names}
        for name in _Session.__struct_fields__:
            columns["user_" + name] = pa.array([getattr(event.userIdentity, name) for event in events])
        for name in ("requestParameters", "responseElements"):
            columns[name] = pa.array([bytes(getattr(event, name)) for event in events])
        rows += pa.table(columns).num_rows
    return rows


def flow_text(files: Sequence[Path]) -> int:
    """gunzip with isal, pyarrow's CSV reader with dictionary-encoded strings."""
    rows = 0
    for file in files:
        text = _gunzip(file)
        table = pyarrow.csv.read_csv(
            io.BytesIO(text),
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=8 << 20),
            parse_options=pyarrow.csv.ParseOptions(delimiter=" "),
            convert_options=pyarrow.csv.ConvertOptions(
                null_values=["-"],
                strings_can_be_null=True,
                column_types={name: pa.dictionary(pa.int32(), pa.string()) for name in FLOW_STRINGS},
            ),
        )
        rows += table.num_rows
    return rows


def flow_parquet(files: Sequence[Path]) -> int:
    """pyarrow's Parquet reader."""
    return sum(pyarrow.parquet.read_table(file, use_threads=False, partitioning=None).num_rows for file in files)


def dns_typed(files: Sequence[Path]) -> int:
    """gunzip with isal, typed structs with msgspec, one Arrow column a field."""
    decoder = msgspec.json.Decoder(_Query)
    scalars = [name for name in _Query.__struct_fields__ if name not in ("answers", "srcids")]
    rows = 0
    for file in files:
        queries = decoder.decode_lines(_gunzip(file))
        columns = {name: pa.array([getattr(query, name) for query in queries]) for name in scalars}
        columns["answers"] = pa.array([[a.Rdata for a in query.answers] for query in queries])
        columns["instance"] = pa.array([query.srcids.get("instance") for query in queries])
        rows += pa.table(columns).num_rows
    return rows


def dns_arrow(files: Sequence[Path]) -> int:
    """gunzip with isal, pyarrow's reader of newline-delimited JSON."""
    text, listed = pa.string(), pa.list_(pa.struct([("Rdata", pa.string()), ("Type", pa.string())]))
    scalars = [(name, text) for name in _Query.__struct_fields__ if name not in ("answers", "srcids")]
    schema = pa.schema([*scalars, ("answers", listed), ("srcids", pa.struct([("instance", text)]))])
    parse = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    read = pyarrow.json.ReadOptions(use_threads=False, block_size=8 << 20)
    rows = 0
    for file in files:
        rows += pyarrow.json.read_json(io.BytesIO(_gunzip(file)), read_options=read, parse_options=parse).num_rows
    return rows


CANDIDATES: dict[str, tuple[Callable[[Sequence[Path]], int], ...]] = {
    "cloudtrail": (cloudtrail_typed,),
    "s3": (cloudtrail_typed,),
    "flow": (flow_text,),
    "flow-parquet": (flow_parquet,),
    "dns": (dns_typed, dns_arrow),
}
