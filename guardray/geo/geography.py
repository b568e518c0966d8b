"""Where an address is and whose network it belongs to: for whole columns, and in full for one address."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.findings.actions import Place
from guardray.geo import shipped
from guardray.geo.shipped import Steps
from guardray.schema.addresses import ipv4_numbers
from guardray.schema.ipv6 import ipv6_addresses, mapped_ipv4s

AWS_NETWORKS = (7224, 8987, 9059, 14618, 16509, 21664, 36263, 38895, 55960, 62785, 135629)
"""Autonomous systems of AWS and of those who run its Regions in China. Source: their names in the shipped data."""

COUNTRIES = pl.Enum(list(shipped.about().countries))


@dataclass(frozen=True, eq=False)
class Geography:
    """Countries and networks of all addresses, as arrays that processes can share.

    Attributes:
        pages: uint32 [2^16 + 1]: how many steps of IPv4 start before each /16 network.
    """

    ipv4: Steps
    ipv6: Steps
    pages: npt.NDArray[np.uint32]

    @classmethod
    def load(cls) -> Geography:
        """From the shipped data."""
        ipv4 = shipped.ipv4_steps()
        edges = np.arange(2**16 + 1, dtype=np.uint64) << np.uint64(16)
        pages = np.searchsorted(ipv4.starts, edges).astype(np.uint32)
        return cls(ipv4, shipped.ipv6_steps(), pages)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        steps = (self.ipv4, self.ipv6)
        return self.pages.nbytes + sum(p.starts.nbytes + p.countries.nbytes + p.asns.nbytes for p in steps)

    def columns(self, addresses: pl.Series) -> pl.DataFrame:
        """UInt32 [n] of IPv4 numbers to country_code (Enum), asn (UInt32) and is_aws (Boolean); null where unknown."""
        from guardray.geo import kernels

        numbers = addresses.fill_null(0).to_numpy()  # nobody's address, and so of no place
        found = np.empty(len(numbers), np.uint32)
        kernels.places(numbers, self.ipv4.starts, self.pages, found)
        return _frame(self.ipv4.countries[found], self.ipv4.asns[found])

    def text_columns(self, texts: pl.Series) -> pl.DataFrame:
        """The same for addresses of either version in text (String or Categorical), found once a distinct text."""
        distinct = texts.unique().drop_nulls()
        known = self._of_distinct(distinct.cast(pl.String)).with_columns(distinct.alias("text"))
        return texts.alias("text").to_frame().join(known, on="text", how="left", maintain_order="left").drop("text")

    def place(self, text: str) -> Place | None:
        """All that is known of one address; None of one that is not public, or no address, or known to nobody."""
        country, asn = self._numbers(text)
        if not country and not asn:
            return None
        code = COUNTRIES.categories[country - 1] if country else None
        name = None if code is None else shipped.about().countries[code]
        holder = shipped.organisations().get(asn) if asn else None
        return Place(country_code=code, country_name=name, asn=asn or None, asn_org=holder)

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

    def _of_distinct(self, texts: pl.Series) -> pl.DataFrame:
        numbers = texts.to_frame("text").select(ipv4_numbers(pl.col("text"))).to_series().fill_null(0).to_numpy().copy()
        addresses, at = ipv6_addresses(texts)
        embedded, among = mapped_ipv4s(addresses)
        numbers[at[among]] = embedded
        frame = self.columns(pl.Series(numbers, dtype=pl.UInt32))
        found = np.searchsorted(self.ipv6.starts, addresses, side="right") - 1
        own = np.ones(len(addresses), bool)
        own[among] = False
        further = _frame(self.ipv6.countries[found[own]], self.ipv6.asns[found[own]])
        return frame.with_columns(frame[name].scatter(at[own], further[name]) for name in frame.columns)


def _frame(countries: npt.NDArray[np.uint8], asns: npt.NDArray[np.uint32]) -> pl.DataFrame:
    """Zeros become null."""
    frame = pl.DataFrame({"country_code": countries, "asn": asns})
    asn = pl.when(pl.col("asn") != 0).then(pl.col("asn"))
    return frame.select(
        pl.when(pl.col("country_code") != 0).then(pl.col("country_code") - 1).cat.to(COUNTRIES),
        asn,
        asn.is_in(AWS_NETWORKS).alias("is_aws"),
    )
