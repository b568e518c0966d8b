"""Network Activity (class 4001): VPC Flow Logs.

Source: OCSF examples, event dossiers "Amazon VPC Flowlogs" for OCSF 1.0.0-rc.2, 1.1.0 and 1.5.0.
"""

from __future__ import annotations

import polars as pl

from guardray.schema.network_activity import SCHEMA
from guardray.sources.parquet import Fields, Rules
from guardray.sources.security_lake.event_class import (
    PORTS,
    EventClass,
    Reading,
    account,
    is_denied,
    is_outside,
    time,
)
from guardray.sources.vpc_flow.addresses import addresses
from guardray.sources.vpc_flow.fields import UNKNOWN

_ENDS = ("src_endpoint", "dst_endpoint")


def _reading(fields: Fields) -> Reading:
    ips = {end: _ip(fields, end) for end in _ENDS}
    numbers = {
        "src_endpoint_port": fields.whole("src_endpoint.port"),
        "dst_endpoint_port": fields.whole("dst_endpoint.port"),
        "protocol_num": fields.whole("connection_info.protocol_num"),
        "tcp_flags": fields.whole("connection_info.tcp_flags"),
    }
    most = {"src_endpoint_port": PORTS, "dst_endpoint_port": PORTS, "protocol_num": 255, "tcp_flags": 255}
    direction = fields.whole("connection_info.direction_id")
    columns = {
        "time": time(fields),
        "end_time": pl.coalesce(fields.time("end_time", "end_time_dt", unit_us=1_000), time(fields)),
        "cloud_account_uid": account(fields),
        "cloud_region": fields.text("cloud.region"),
        **{name: _of_either_end(fields, name) for name in ("interface_uid", "instance_uid", "vpc_uid", "subnet_uid")},
        **{f"{end}_ip": pl.col(f"{end} text") for end in _ENDS},
        **{f"{end}_ip_v4": pl.col(f"{end} number") for end in _ENDS},
        **numbers,
        "traffic_packets": fields.whole("traffic.packets"),
        "traffic_bytes": fields.whole("traffic.bytes"),
        "is_rejected": is_denied(fields),
        "is_egress": pl.when(direction.is_in((1, 2))).then(direction == 2),
    }
    is_empty = fields.text("status_code").is_in(("NODATA", "SKIPDATA"))
    problems = {
        "has no time": columns["time"].is_null() & is_empty.not_().fill_null(value=True),
        **{
            f"{name} is no number up to {most[name]}": is_outside(number, most[name])
            for name, number in numbers.items()
        },
        **{f"{end}.ip is no address": pl.col(f"{end} is_bad") for end in _ENDS},
    }

    def more(piece: pl.DataFrame) -> pl.DataFrame:
        texts = piece.with_columns(**ips).select(_ENDS)
        return pl.DataFrame([part for end in _ENDS for part in _address(texts[end], end)])

    return Reading(Rules(SCHEMA, columns, problems, is_empty), more=more)


def _address(texts: pl.Series, end: str) -> list[pl.Series]:
    read = addresses(texts.to_arrow(compat_level=pl.CompatLevel.oldest()))
    nothing = pl.repeat(None, len(texts), dtype=pl.String, eager=True)
    sound = pl.repeat(False, len(texts), eager=True)
    return [
        read.number.alias(f"{end} number"),
        (nothing if read.text is None else read.text).alias(f"{end} text"),
        (sound if read.is_bad is None else read.is_bad).alias(f"{end} is_bad"),
    ]


def _ip(fields: Fields, end: str) -> pl.Expr:
    """The interface's address. Where traffic is forwarded, it is listed beside the packet's own."""
    return pl.coalesce(fields.texts(f"{end}.intermediate_ips").list.first(), fields.text(f"{end}.ip"))


def _of_either_end(fields: Fields, name: str) -> pl.Expr:
    """What is known of the interface, which is an attribute of the end that it is at."""
    return pl.coalesce(*(fields.text(f"{end}.{name}").replace(UNKNOWN, None) for end in _ENDS))


NETWORK_ACTIVITY = EventClass((4001,), _reading)
