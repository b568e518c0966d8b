"""Networks whose holders are known: an address in one has the country and the autonomous system that it really has."""

from __future__ import annotations

import numpy as np

from guardray.simulate.addresses import number, public_address

AWS = {
    "ap-southeast-2": ("13.236.0.0", 14),
    "eu-central-1": ("3.64.0.0", 12),
    "eu-west-1": ("52.208.0.0", 13),
    "us-east-1": ("34.192.0.0", 12),
    "us-west-2": ("34.208.0.0", 12),
}
"""Addresses of EC2 by Region."""

HOSTING = (
    ("159.65.0.0", 16), ("51.75.0.0", 16), ("88.198.0.0", 16), ("45.33.0.0", 17), ("45.76.0.0", 16),
    ("198.98.48.0", 20), ("91.219.236.0", 22), ("146.70.0.0", 16), ("62.210.0.0", 16), ("47.88.0.0", 16),
    ("141.98.8.0", 22), ("89.248.160.0", 20), ("176.10.96.0", 19), ("207.180.192.0", 18), ("194.26.192.0", 24),
    ("107.172.0.0", 16),
)  # fmt: skip
"""Data centres, each of another holder, where anybody can rent a machine."""

Network = tuple[str, int]

ACCESS: dict[str, tuple[Network, ...]] = {
    "AU": (("1.120.0.0", 13), ("114.30.96.0", 19), ("49.176.0.0", 12)),
    "DE": (("84.128.0.0", 10), ("92.224.0.0", 13), ("88.64.0.0", 12)),
    "GB": (("81.128.0.0", 11), ("90.192.0.0", 11), ("86.0.0.0", 11)),
    "IN": (("49.36.0.0", 14),),
    "US": (("73.0.0.0", 9), ("99.0.0.0", 11), ("71.80.0.0", 12), ("68.96.0.0", 12)),
}
"""Networks that homes and offices are in, by country."""

COUNTRIES = {
    "ap-southeast-2": "AU",
    "eu-central-1": "DE",
    "eu-west-1": "GB",
    "us-east-1": "US",
    "us-west-2": "US",
}
"""Where the people of an account are, by its Region."""


def address_in(rng: np.random.Generator, *networks: Network) -> int:
    """A random address in one of these networks. It takes as much from the stream as `public_address`."""
    drawn = public_address(rng)
    base, bits = networks[drawn % len(networks)]
    return number(base) | drawn // len(networks) & (1 << 32 - bits) - 1
