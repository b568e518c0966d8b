"""IPv4 addresses as numbers: to and from text, and whether the internet routes them."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network

import polars as pl

NOT_PUBLIC: tuple[IPv4Network, ...] = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "224.0.0.0/3",  # multicast and reserved
        ),
    )
)
"""Networks that no public host has, ascending.

Source: IANA IPv4 special-purpose address registry. The documentation networks (RFC 5737) are left out on purpose: no
real host has them either, and in examples, simulations and AWS's own sample findings they stand for public hosts.
"""

_OCTET = r"(0|[1-9]\d{0,2})"
_QUAD = r"^" + r"\.".join([_OCTET] * 4) + "$"


def ipv4_text(number: int) -> str:
    """The address as a dotted quad."""
    return str(IPv4Address(number))


def ipv4_number(text: str) -> int | None:
    """The dotted quad as a number; None where it is not one."""
    try:
        return int(IPv4Address(text))
    except AddressValueError:
        return None


def ipv4_numbers(texts: pl.Expr) -> pl.Expr:
    """Dotted quads as UInt32; null for anything else."""
    groups = texts.str.extract_groups(_QUAD).struct
    octets = [groups.field(str(place)).cast(pl.UInt32) for place in range(1, 5)]
    number = octets[0] * 2**24 + octets[1] * 2**16 + octets[2] * 2**8 + octets[3]
    return pl.when(pl.max_horizontal(octets) <= 255).then(number)


def is_public(number: pl.Expr) -> pl.Expr:
    """True where the IPv4 number is publicly routable; null stays null."""
    return ~pl.any_horizontal(number.is_between(int(network[0]), int(network[-1])) for network in NOT_PUBLIC)


def is_public_number(number: int) -> bool:
    """`is_public` for one address."""
    return not any(int(network[0]) <= number <= int(network[-1]) for network in NOT_PUBLIC)
