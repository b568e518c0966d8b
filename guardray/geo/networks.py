"""Sets of networks that whole columns of addresses are held against, and the one of AWS's own list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from guardray.errors import UsageError

Network = TypeVar("Network", IPv4Network, IPv6Network)


@dataclass(frozen=True, eq=False)
class Networks:
    """Disjoint ranges, ascending: uint32 for IPv4, S16 for IPv6."""

    firsts: npt.NDArray[Any]
    lasts: npt.NDArray[Any]

    @classmethod
    def of_ipv4(cls, networks: Iterable[IPv4Network]) -> Networks:
        apart = list(collapse_addresses(networks))
        return cls(*(np.array([int(net[place]) for net in apart], np.uint32) for place in (0, -1)))

    @classmethod
    def of_ipv6(cls, networks: Iterable[IPv6Network]) -> Networks:
        apart = list(collapse_addresses(networks))
        return cls(*(np.array([net[place].packed for net in apart], "S16") for place in (0, -1)))

    def contain(self, addresses: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Bool [n]: whether each is in one of them."""
        if not len(self.firsts):
            return np.zeros(len(addresses), bool)
        at = np.searchsorted(self.firsts, addresses, side="right") - 1
        return np.asarray((at >= 0) & (addresses <= self.lasts[at]))


@dataclass(frozen=True)
class AwsRanges:
    """Addresses that AWS says are its own."""

    ipv4: Networks
    ipv6: Networks

    @classmethod
    def read(cls, path: Path) -> AwsRanges:
        """From `ip-ranges.json`. Source: https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html.

        Raises:
            UsageError: the file is missing or of another shape; file and position are named.
        """
        try:
            content = msgspec.json.decode(path.read_bytes())
        except OSError as error:
            raise UsageError(f"AWS ranges {path}: {error.strerror or error}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"AWS ranges {path}: not JSON: {error}") from None
        ipv4 = _networks(content, "prefixes", "ip_prefix", path, IPv4Network)
        ipv6 = _networks(content, "ipv6_prefixes", "ipv6_prefix", path, IPv6Network)
        return cls(Networks.of_ipv4(ipv4), Networks.of_ipv6(ipv6))


def _networks(content: object, part: str, name: str, path: Path, kind: type[Network]) -> Iterator[Network]:
    entries = content.get(part) if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise UsageError(f"AWS ranges {path}: has no list {part}")
    for number, entry in enumerate(entries):
        text = entry.get(name) if isinstance(entry, dict) else None
        try:
            yield kind(text if isinstance(text, str) else "")
        except ValueError:
            raise UsageError(f"AWS ranges {path}: {part}[{number}].{name}: not a network: {text!r}") from None
