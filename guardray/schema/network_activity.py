"""OCSF Network Activity (class 4001): VPC Flow Log records, one row a record of one interface and direction."""

from __future__ import annotations

import polars as pl

from guardray.schema.columns import UTC_US, Column, EventSchema

SCHEMA = EventSchema(
    name="network_activity",
    class_uid=4001,
    columns=(
        Column("time", UTC_US, "start of the aggregation interval (start)"),
        Column("end_time", UTC_US, "end of the aggregation interval (end)"),
        Column("cloud_account_uid", pl.String(), "account of the interface, 12 digits"),
        Column("cloud_region", pl.String(), "region field, else from az-id or the object key; null when unknown"),
        Column("interface_uid", pl.String(), "interface-id (eni-...)"),
        Column("instance_uid", pl.String(), "instance-id; null when not an instance's or not logged"),
        Column("vpc_uid", pl.String(), "vpc-id"),
        Column("subnet_uid", pl.String(), "subnet-id"),
        Column("src_endpoint_ip", pl.String(), "srcaddr when it is not IPv4; null for IPv4"),
        Column("dst_endpoint_ip", pl.String(), "dstaddr when it is not IPv4; null for IPv4"),
        Column("src_endpoint_ip_v4", pl.UInt32(), "srcaddr as a number; null for IPv6"),
        Column("dst_endpoint_ip_v4", pl.UInt32(), "dstaddr as a number; null for IPv6"),
        Column("src_endpoint_port", pl.UInt16(), "srcport"),
        Column("dst_endpoint_port", pl.UInt16(), "dstport"),
        Column("protocol_num", pl.UInt8(), "IANA protocol number", ocsf="connection_info.protocol_num"),
        Column(
            "tcp_flags", pl.UInt8(), "OR of FIN 1, SYN 2, RST 4, SYN-ACK 18; null: unknown", "connection_info.tcp_flags"
        ),
        Column("traffic_packets", pl.Int64(), "packets in the interval"),
        Column("traffic_bytes", pl.Int64(), "bytes in the interval"),
        Column("is_rejected", pl.Boolean(), "action REJECT", ocsf="disposition"),
        Column("is_egress", pl.Boolean(), "flow-direction egress; null when not logged", "connection_info.direction"),
        Column(
            "is_late",
            pl.Boolean(),
            "older than its object by more than the lateness bound, or newer than it can be",
            "unmapped.late",
        ),
    ),
)
"""`NODATA` and `SKIPDATA` records carry no traffic: they are counted and left out of batches."""
