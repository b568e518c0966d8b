"""Columns that every batch gets before detectors see it: who acts, which end is public, who and where the other end is.

Added to every class:
    is_trusted: a trusted list names the other end; never null.

Added to `api_activity`:
    actor_principal: who acts, whatever the session: the role's unique id, else the principal id, else the ARN.
    src_endpoint_indicators: UInt64, categories of the source address.
    src_endpoint_location_country: its country, two letters.
    src_endpoint_autonomous_system_number: UInt32, the network that announces it.
    src_endpoint_is_aws: whether it is an address of AWS.
    http_request_user_agent_family: the kind of client, such as `aws-cli`.

Added to `network_activity`:
    resource_uid: the instance, else the interface.
    src_is_public, dst_is_public: publicly routable IPv4; null for IPv6.
    is_request: the source is the client of the connection; null where it cannot be told.
    is_probe: UInt8, 1 where a client's TCP connection came to nothing, else 0.
    is_sent: from a private address to a public one; null where not just one end is public.
    remote_ip_v4, remote_port, local_ip_v4, local_port: the public end and the private one; null where is_sent is.
    sent_packets, sent_bytes: the traffic where is_sent is true, else 0.
    src_endpoint_indicators, dst_endpoint_indicators: UInt64, categories of the addresses.
    remote_location_country, remote_autonomous_system_number, remote_is_aws: of the public end.

Added to `dns_activity`:
    resource_uid: the instance, else the VPC and the client's address.
    query_indicators: UInt64, categories of the name that was asked for.
    answers_indicators: UInt64, categories of the addresses in the answer.
    query_registered_domain: the domain that somebody registered, of which the name is part.
    query_unresolved_domain: that domain, or the last two labels where there is no public suffix, of a query that was
        not answered; null for names that are kept for private networks and for reverse look-ups.
    query_generated_percent: UInt8, how much it looks like one that a program made up.
    query_generated_domain: it, where it does.
    query_carrier_domain: the same domain of a name or answer that may carry data, empty where the name has none; null
        for all others, as the next three are.
    query_bits: UInt32, information in the labels below it.
    query_carrier: the name, where it is likely to carry data.
    answers_bytes: UInt32, length of long answers of types that whoever answers is free to write, else 0.

This runs over every row, so it is integer arithmetic on whole columns, text is looked at once a distinct value, and
look-ups are left out where nothing could answer them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import polars as pl

from guardray.context import dns_columns, flow_columns
from guardray.context.user_agents import user_agent_families
from guardray.geo.geography import COUNTRIES, Geography
from guardray.intel.store import IndicatorStore, has
from guardray.schema import EventSchema

LOCATION = ("location_country", "autonomous_system_number", "is_aws")
"""What columns call that which geography calls `country_code`, `asn` and `is_aws`."""


class Indicators(Protocol):
    """Threat lists and trusted lists, which may be replaced meanwhile."""

    def current(self) -> IndicatorStore:
        """Those that hold now."""

    def name(self) -> str:
        """Of those that hold now: `find` has them by it, also when they hold no more."""

    def find(self, name: str) -> IndicatorStore | None:
        """The lists that held under this name; None where they are kept no more."""

    def keep(self, names: Iterable[str]) -> None:
        """Keep the lists of these names beside those that hold, and no others for this reason."""


@dataclass(frozen=True)
class Surroundings:
    """What enrichment looks things up in. Without geography, its columns are null."""

    indicators: Indicators = field(default_factory=IndicatorStore)
    geography: Geography | None = None


def enrich(
    frame: pl.DataFrame, schema: EventSchema, indicators: IndicatorStore, geography: Geography | None = None
) -> pl.DataFrame:
    """The batch with its class's further columns."""
    return _ENRICHERS[schema.name](frame, indicators, geography)


@cache
def enriched_columns(schema: EventSchema) -> pl.Schema:
    """Names and types of an enriched batch of the class."""
    return enrich(schema.frame(), schema, IndicatorStore()).schema


def _api_activity(frame: pl.DataFrame, indicators: IndicatorStore, geography: Geography | None) -> pl.DataFrame:
    source = frame["src_endpoint_ip"]
    principal = pl.coalesce("actor_session_issuer_uid", "actor_user_uid_alt", "actor_user_uid")
    return frame.with_columns(
        principal.alias("actor_principal"),
        (indicators.text_categories(source, *_place(frame)) if indicators.has_addresses else _nothing()).alias(
            "src_endpoint_indicators"
        ),
        *_located("src_endpoint", None if geography is None else geography.text_columns(source)),
        user_agent_families(frame["http_request_user_agent"]).alias("http_request_user_agent_family"),
    ).with_columns(_is_trusted(indicators, "src_endpoint_indicators"))


def _network_activity(frame: pl.DataFrame, indicators: IndicatorStore, geography: Geography | None) -> pl.DataFrame:
    ends = (
        frame.with_columns(*flow_columns.ENDS)
        .with_columns(
            pl.coalesce("instance_uid", "interface_uid").alias("resource_uid"),
            flow_columns.is_request().alias("is_request"),
            flow_columns.is_sent().alias("is_sent"),
            *(_number_categories(frame, end, indicators) for end in ("src_endpoint", "dst_endpoint")),
        )
        .with_columns(flow_columns.is_probe().alias("is_probe"), *flow_columns.remote_end())
    )
    return ends.with_columns(
        *_located("remote", None if geography is None else geography.columns(ends["remote_ip_v4"])),
        _is_trusted(indicators, "src_endpoint_indicators", "dst_endpoint_indicators"),
    )


def _dns_activity(frame: pl.DataFrame, indicators: IndicatorStore, geography: Geography | None) -> pl.DataFrame:
    client = pl.concat_str("vpc_uid", "src_endpoint_ip", separator="/")
    names = frame["query_hostname"]
    return frame.with_columns(
        pl.coalesce("instance_uid", client).alias("resource_uid"),
        (indicators.domain_categories(names, *_place(frame)) if indicators.has_domains else _nothing()).alias(
            "query_indicators"
        ),
        (_answers(frame, indicators) if indicators.has_addresses else _nothing()).alias("answers_indicators"),
        *dns_columns.name_columns(frame),
    ).with_columns(_is_trusted(indicators, "query_indicators"))


def _place(frame: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Whose lists hold for each row."""
    return frame["cloud_account_uid"], frame["cloud_region"]


def _number_categories(frame: pl.DataFrame, end: str, indicators: IndicatorStore) -> pl.Series | pl.Expr:
    listed = indicators.ip_categories(frame[f"{end}_ip_v4"], *_place(frame)) if indicators.has_addresses else _nothing()
    return listed.alias(f"{end}_indicators")


def _answers(frame: pl.DataFrame, indicators: IndicatorStore) -> pl.Series:
    """UInt64 [n]: the categories that any address in the answers has."""
    answers = (
        frame.select("cloud_account_uid", "cloud_region", "answers")
        .with_row_index("row")
        .filter(pl.col("answers").list.len() > 0)
        .explode("answers")
    )
    listed = answers.select("row", mask=indicators.text_categories(answers["answers"], *_place(answers)))
    masks = listed.filter(pl.col("mask") != 0).group_by("row").agg(pl.col("mask").bitwise_or())
    rows = pl.DataFrame({"row": pl.arange(frame.height, dtype=pl.UInt32, eager=True)})
    return rows.join(masks, on="row", how="left", maintain_order="left")["mask"].fill_null(0)


def _located(prefix: str, places: pl.DataFrame | None) -> list[pl.Series] | list[pl.Expr]:
    if places is None:
        return [pl.lit(None, kind).alias(f"{prefix}_{name}") for name, kind in zip(LOCATION, _KINDS, strict=True)]
    return [column.alias(f"{prefix}_{name}") for name, column in zip(LOCATION, places.get_columns(), strict=True)]


def _is_trusted(indicators: IndicatorStore, *columns: str) -> pl.Expr:
    trusted = [has(column, "trusted") for column in columns] if indicators.has_trusted else [pl.lit(False)]
    return pl.any_horizontal(trusted).alias("is_trusted")


def _nothing() -> pl.Expr:
    return pl.lit(0, pl.UInt64)


_KINDS = (COUNTRIES, pl.UInt32(), pl.Boolean())

_ENRICHERS: dict[str, Callable[[pl.DataFrame, IndicatorStore, Geography | None], pl.DataFrame]] = {
    "api_activity": _api_activity,
    "network_activity": _network_activity,
    "dns_activity": _dns_activity,
}
