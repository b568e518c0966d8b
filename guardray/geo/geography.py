"""Where an address is and whose network it belongs to: for whole columns, and in full for one address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.findings.places import Place
from guardray.geo import shipped
from guardray.geo.databases import Databases
from guardray.geo.networks import AwsRanges, Networks
from guardray.geo.shipped import Steps
from guardray.schema.addresses import ipv4_numbers, is_public, is_public_number
from guardray.schema.ipv6 import NOT_PUBLIC_V6, IPv6s, ipv6_addresses, mapped_ipv4s

AWS_NETWORKS = (7224, 8987, 9059, 14618, 16509, 21664, 36263, 38895, 55960, 62785, 135629)
"""Autonomous systems of AWS and of those who run its Regions in China. Source: their names in the shipped data."""

FURTHER_COUNTRIES = ("BV", "CC", "CX", "EH", "GS", "HM", "PN", "SH", "SJ", "TF", "UM", "XK")
"""Those that the shipped data has no address in, though other databases may."""

COUNTRIES = pl.Enum([*shipped.about().countries, *FURTHER_COUNTRIES])

_HIDDEN_V6 = Networks.of_ipv6(NOT_PUBLIC_V6)


@dataclass(frozen=True, eq=False)
class Geography:
    """Countries and networks of all addresses, as arrays that processes can share.

    Attributes:
        pages: uint32 [2^16 + 1]: how many steps of IPv4 start before each /16 network.
        databases: what these say of a public address counts before the steps, field by field.
        aws: tells which addresses are AWS's; without it, their networks do.
    """

    ipv4: Steps
    ipv6: Steps
    pages: npt.NDArray[np.uint32]
    databases: Databases = field(default_factory=Databases)
    aws: AwsRanges | None = None

    @classmethod
    def load(cls, mmdb: Sequence[Path] = (), aws_ranges: Path | None = None) -> Geography:
        """From the shipped data, databases in MaxMind's format, of which the first counts most, and AWS's own list.

        Raises:
            UsageError: a file cannot be read.
        """
        databases = Databases.open(mmdb)
        aws = None if aws_ranges is None else AwsRanges.read(aws_ranges)
        ipv4 = shipped.ipv4_steps()
        edges = np.arange(2**16 + 1, dtype=np.uint64) << np.uint64(16)
        pages = np.searchsorted(ipv4.starts, edges).astype(np.uint32)
        return cls(ipv4, shipped.ipv6_steps(), pages, databases, aws)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        steps = (self.ipv4, self.ipv6)
        return self.pages.nbytes + sum(p.starts.nbytes + p.countries.nbytes + p.asns.nbytes for p in steps)

    def columns(self, addresses: pl.Series) -> pl.DataFrame:
        """UInt32 [n] of IPv4 numbers to country_code (Enum), asn (UInt32) and is_aws (Boolean); null where unknown."""
        if not self.databases.paths and self.aws is None:
            return self._shipped(addresses)
        distinct = addresses.unique().drop_nulls()
        known = self._of_numbers(distinct).with_columns(distinct.alias("number"))
        return addresses.alias("number").to_frame().join(known, "number", "left", maintain_order="left").drop("number")

    def text_columns(self, texts: pl.Series) -> pl.DataFrame:
        """The same for addresses of either version in text (String or Categorical), found once a distinct text."""
        distinct = texts.unique().drop_nulls()
        known = self._of_texts(distinct.cast(pl.String)).with_columns(distinct.alias("text"))
        return texts.alias("text").to_frame().join(known, on="text", how="left", maintain_order="left").drop("text")

    def place(self, text: str) -> Place | None:
        """All that is known of one address; None of one that is not public, or no address, or known to nobody."""
        country, asn = self._numbers(text)
        found: dict[str, Any] = {
            "country_code": COUNTRIES.categories[country - 1] if country else None,
            "asn": asn or None,
        }
        public = _public(text) if self.databases.paths else None
        told = {} if public is None else self.databases.fields(public)
        found |= told
        code, number = found["country_code"], found["asn"]
        if code is not None and "country_name" not in told:
            found["country_name"] = shipped.about().countries.get(code)
        if number is not None and "asn_org" not in told:
            found["asn_org"] = shipped.organisations().get(number)
        return Place(**found) if any(value is not None for value in found.values()) else None

    def _numbers(self, text: str) -> tuple[int, int]:
        """Country, counted from 1, and autonomous system of one address; 0 where unknown."""
        try:
            address = ip_address(text)
        except ValueError:
            return 0, 0
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is None:
                return self._step(self.ipv6, np.bytes_(address.packed))
            address = address.ipv4_mapped
        return self._step(self.ipv4, np.uint32(int(address)))

    @staticmethod
    def _step(steps: Steps, address: np.uint32 | np.bytes_) -> tuple[int, int]:
        found = np.searchsorted(steps.starts, address, side="right") - 1
        return int(steps.countries[found]), int(steps.asns[found])

    def _shipped(self, addresses: pl.Series) -> pl.DataFrame:
        from guardray.geo import kernels

        numbers = addresses.fill_null(0).to_numpy()  # nobody's address, and so of no place
        found = np.empty(len(numbers), np.uint32)
        kernels.places(numbers, self.ipv4.starts, self.pages, found)
        return _frame(self.ipv4.countries[found], self.ipv4.asns[found])

    def _of_texts(self, texts: pl.Series) -> pl.DataFrame:
        """Of distinct addresses of either version."""
        numbers = texts.to_frame("text").select(ipv4_numbers(pl.col("text"))).to_series().fill_null(0).to_numpy().copy()
        addresses, at = ipv6_addresses(texts)
        embedded, among = mapped_ipv4s(addresses)
        numbers[at[among]] = embedded
        frame = self._of_numbers(pl.Series(numbers, dtype=pl.UInt32))
        own = np.ones(len(addresses), bool)
        own[among] = False
        further = self._of_ipv6(addresses[own], texts.gather(at[own]))
        return frame.with_columns(frame[name].scatter(at[own], further[name]) for name in frame.columns)

    def _of_numbers(self, distinct: pl.Series) -> pl.DataFrame:
        frame, numbers = self._shipped(distinct), distinct.to_numpy()
        if self.databases.paths:
            frame = _told_before(self.databases.of_numbers(numbers), ~_is_public(distinct), frame)
        return frame if self.aws is None else _listed(self.aws.ipv4.contain(numbers), frame)

    def _of_ipv6(self, addresses: IPv6s, texts: pl.Series) -> pl.DataFrame:
        found = np.searchsorted(self.ipv6.starts, addresses, side="right") - 1
        frame = _frame(self.ipv6.countries[found], self.ipv6.asns[found])
        if self.databases.paths:
            frame = _told_before(self.databases.of_texts(texts), _HIDDEN_V6.contain(addresses), frame)
        return frame if self.aws is None else _listed(self.aws.ipv6.contain(addresses), frame)


def _told_before(told: pl.DataFrame, is_hidden: npt.NDArray[np.bool_], frame: pl.DataFrame) -> pl.DataFrame:
    """Each field from the first of the two that knows it; databases are not believed about hidden addresses."""
    country = pl.col("told_country").cast(COUNTRIES, strict=False)
    asn = pl.col("told_asn").cast(pl.UInt32, strict=False)
    seen = pl.Series(~is_hidden)
    return (
        frame.with_columns(told_country=told["country_code"], told_asn=told["asn"])
        .with_columns(pl.when(seen).then(pl.col("told_country", "told_asn")))
        .select(pl.coalesce(country, "country_code").alias("country_code"), pl.coalesce(asn, "asn").alias("asn"))
        .with_columns(is_aws=pl.col("asn").is_in(AWS_NETWORKS))
    )


def _listed(is_listed: npt.NDArray[np.bool_], frame: pl.DataFrame) -> pl.DataFrame:
    """Whether addresses are AWS's by its own list; null where that says nothing and their network is unknown."""
    is_aws = pl.Series(is_listed)
    return frame.with_columns(is_aws=pl.when(is_aws | pl.col("asn").is_not_null()).then(is_aws))


def _is_public(numbers: pl.Series) -> npt.NDArray[np.bool_]:
    return pl.select(is_public(pl.lit(numbers))).to_series().to_numpy()


def _public(text: str) -> str | None:
    """The address where it is public, an IPv4-mapped one as the IPv4 address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    if isinstance(address, IPv6Address):
        hidden = any(address in network for network in NOT_PUBLIC_V6)
    else:
        hidden = not is_public_number(int(address))
    return None if hidden else str(address)


def _frame(countries: npt.NDArray[np.uint8], asns: npt.NDArray[np.uint32]) -> pl.DataFrame:
    """Zeros become null."""
    frame = pl.DataFrame({"country_code": countries, "asn": asns})
    asn = pl.when(pl.col("asn") != 0).then(pl.col("asn"))
    return frame.select(
        pl.when(pl.col("country_code") != 0).then(pl.col("country_code") - 1).cat.to(COUNTRIES),
        asn,
        asn.is_in(AWS_NETWORKS).alias("is_aws"),
    )
