"""Columns that every batch gets before detectors see it: who acts, which end is public, who is on a threat list.

Added to `api_activity`:
    actor_principal: who acts, whatever the session: the role's unique id, else the principal id, else the ARN.
    src_endpoint_indicators: UInt64, categories of the source address.

Added to `network_activity`:
    resource_uid: the instance, else the interface.
    src_is_public, dst_is_public: publicly routable IPv4; null for IPv6.
    is_request: the source is the client of the connection; null where it cannot be told.
    is_probe: UInt8, 1 where a client's TCP connection came to nothing, else 0.
    is_sent: from a private address to a public one; null where not just one end is public.
    remote_ip_v4, remote_port, local_ip_v4, local_port: the public end and the private one; null where is_sent is.
    sent_packets, sent_bytes: the traffic where is_sent is true, else 0.
    src_endpoint_indicators, dst_endpoint_indicators: UInt64, categories of the addresses.

Added to `dns_activity`:
    resource_uid: the instance, else the VPC and the client's address.
    query_indicators: UInt64, categories of the name that was asked for.

This runs over every row, so it is integer arithmetic on whole columns, and look-ups are left out where no list could
answer them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import polars as pl

from guardray.context import flow_columns
from guardray.intel.store import IndicatorStore
from guardray.schema import EventSchema


def enrich(frame: pl.DataFrame, schema: EventSchema, store: IndicatorStore) -> pl.DataFrame:
    """The batch with its class's further columns."""
    return _ENRICHERS[schema.name](frame, store)


@cache
def enriched_columns(schema: EventSchema) -> pl.Schema:
    """Names and types of an enriched batch of the class."""
    return enrich(schema.frame(), schema, IndicatorStore()).schema


def _api_activity(frame: pl.DataFrame, store: IndicatorStore) -> pl.DataFrame:
    principal = pl.coalesce("actor_session_issuer_uid", "actor_user_uid_alt", "actor_user_uid")
    return frame.with_columns(
        principal.alias("actor_principal"),
        _text_categories(frame, "src_endpoint_ip", store).alias("src_endpoint_indicators"),
    )


def _network_activity(frame: pl.DataFrame, store: IndicatorStore) -> pl.DataFrame:
    return (
        frame.with_columns(*flow_columns.ENDS)
        .with_columns(
            pl.coalesce("instance_uid", "interface_uid").alias("resource_uid"),
            flow_columns.is_request().alias("is_request"),
            flow_columns.is_sent().alias("is_sent"),
            _number_categories(frame, "src_endpoint_ip_v4", store).alias("src_endpoint_indicators"),
            _number_categories(frame, "dst_endpoint_ip_v4", store).alias("dst_endpoint_indicators"),
        )
        .with_columns(flow_columns.is_probe().alias("is_probe"), *flow_columns.remote_end())
    )


def _dns_activity(frame: pl.DataFrame, store: IndicatorStore) -> pl.DataFrame:
    client = pl.concat_str("vpc_uid", "src_endpoint_ip", separator="/")
    return frame.with_columns(
        pl.coalesce("instance_uid", client).alias("resource_uid"),
        _domain_categories(frame, "query_hostname", store).alias("query_indicators"),
    )


def _number_categories(frame: pl.DataFrame, column: str, store: IndicatorStore) -> pl.Series | pl.Expr:
    return store.ip_categories(frame[column], *_whose(frame)) if store.has_addresses else _nothing()


def _text_categories(frame: pl.DataFrame, column: str, store: IndicatorStore) -> pl.Series | pl.Expr:
    return store.text_categories(frame[column], *_whose(frame)) if store.has_addresses else _nothing()


def _domain_categories(frame: pl.DataFrame, column: str, store: IndicatorStore) -> pl.Series | pl.Expr:
    return store.domain_categories(frame[column], *_whose(frame)) if store.has_domains else _nothing()


def _whose(frame: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Accounts and Regions of the rows: lists may be for some of them only."""
    return frame["cloud_account_uid"], frame["cloud_region"]


def _nothing() -> pl.Expr:
    return pl.lit(0, pl.UInt64)


_ENRICHERS: dict[str, Callable[[pl.DataFrame, IndicatorStore], pl.DataFrame]] = {
    "api_activity": _api_activity,
    "network_activity": _network_activity,
    "dns_activity": _dns_activity,
}
