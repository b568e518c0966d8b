"""OCSF DNS Activity (class 4003): Route 53 Resolver query logs."""

from __future__ import annotations

import polars as pl

from guardray.schema.columns import UTC_US, Column, EventSchema

SCHEMA = EventSchema(
    name="dns_activity",
    class_uid=4003,
    columns=(
        Column("time", UTC_US, "query_timestamp"),
        Column("cloud_account_uid", pl.String(), "account that owns the VPC, 12 digits"),
        Column("cloud_region", pl.String(), "region"),
        Column("vpc_uid", pl.String(), "vpc_id"),
        Column("instance_uid", pl.String(), "srcids.instance; null for queries that no instance made"),
        Column("resolver_endpoint_uid", pl.String(), "srcids.resolver_endpoint or resolver_network_interface"),
        Column("src_endpoint_ip", pl.String(), "srcaddr"),
        Column("src_endpoint_port", pl.UInt16(), "srcport"),
        Column("query_hostname", pl.String(), "query_name in lower case, without the final dot"),
        Column("query_type", pl.String(), "A, AAAA, TXT, ..."),
        Column("query_class", pl.String(), "IN, ..."),
        Column("rcode", pl.String(), "NOERROR, NXDOMAIN, ..."),
        Column("answers", pl.List(pl.String()), "rdata of the answers, in order", ocsf="answers[].rdata"),
        Column("answer_types", pl.List(pl.String()), "record types of the answers, in order", ocsf="answers[].type"),
        Column("protocol_name", pl.String(), "transport: UDP or TCP", ocsf="connection_info.protocol_name"),
        Column("is_blocked", pl.Boolean(), "DNS firewall answered BLOCK", ocsf="disposition"),
        Column(
            "is_late",
            pl.Boolean(),
            "older than its object by more than the lateness bound, or newer than it can be",
            "unmapped.late",
        ),
    ),
)
