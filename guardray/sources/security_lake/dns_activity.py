"""DNS Activity (class 4003): Route 53 Resolver query logs.

Source: OCSF examples, event dossiers "Amazon Route53 Resolver Query Log" for OCSF 1.0.0-rc.2, 1.1.0 and 1.5.0.
"""

from __future__ import annotations

import polars as pl

from guardray.schema.dns_activity import SCHEMA
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

_RCODES = (
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
)
"""Names by number, as the Resolver writes them; OCSF's own, such as `ServError`, differ. Source: IANA, DNS RCODEs."""


def _reading(fields: Fields) -> Reading:
    port = fields.whole("src_endpoint.port")
    name = fields.text("query.hostname")
    firewall = fields.text(unmapped="firewall_rule_action")
    columns = {
        "time": time(fields),
        "cloud_account_uid": account(fields),
        "cloud_region": fields.text("cloud.region"),
        "vpc_uid": fields.text("src_endpoint.vpc_uid"),
        "instance_uid": fields.text("src_endpoint.instance_uid"),
        "resolver_endpoint_uid": fields.text("dst_endpoint.instance_uid", "dst_endpoint.interface_uid"),
        "src_endpoint_ip": fields.text("src_endpoint.ip"),
        "src_endpoint_port": port,
        "query_hostname": name.str.to_lowercase().str.strip_suffix("."),
        "query_type": fields.text("query.type"),
        "query_class": fields.text("query.class"),
        "rcode": pl.coalesce(_rcode(fields.whole("rcode_id")), fields.text("rcode").str.to_uppercase()),
        "answers": fields.texts("answers", "rdata"),
        "answer_types": fields.texts("answers", "type"),
        "protocol_name": fields.text("connection_info.protocol_name"),
        "is_blocked": pl.coalesce(is_denied(fields), firewall == "BLOCK", pl.lit(value=False)),
    }
    problems = {
        "has no time": columns["time"].is_null(),
        "has no query.hostname": name.is_null(),
        f"src_endpoint.port is no number up to {PORTS}": is_outside(port, PORTS),
    }
    return Reading(Rules(SCHEMA, columns, problems))


def _rcode(number: pl.Expr) -> pl.Expr:
    return number.replace_strict(range(len(_RCODES)), _RCODES, default=None, return_dtype=pl.String)


DNS_ACTIVITY = EventClass((4003,), _reading)
