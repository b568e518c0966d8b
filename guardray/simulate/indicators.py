"""Threat intelligence that goes with the simulated attacks: feeds with their list of feeds, and a custom list.

Every list also holds indicators that nothing ever meets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from guardray.simulate.addresses import public_address, public_addresses
from guardray.simulate.randomness import pick, stream, token
from guardray.simulate.rendering import address, addresses

UNSEEN = 400
DOMAIN_CATEGORIES = (
    "crypto", "blackhole", "dga", "driveby", "droppoint", "phishing", "reputation-abused", "reputation-crypto",
    "reputation-malicious", "reputation-suspicious",
)  # fmt: skip
"""Categories with a feed of domains of its own, besides `c2`."""

ADDRESS_CATEGORIES = ("crypto", "blackhole", "droppoint", "tor-entry", "scanner")
"""Categories with a feed of addresses of its own, besides `c2` and `malicious`."""

_SYLLABLES = ("vex", "lor", "mir", "zan", "kue", "tor", "bel", "oxi", "dra", "phi", "nul", "gat", "syn", "rav")


@dataclass(frozen=True)
class Indicators:
    """Indicators that attacks use, by list. Addresses are numbers."""

    c2_addresses: tuple[int, ...]
    c2_domains: tuple[str, ...]
    malicious_addresses: tuple[int, ...]
    custom_addresses: tuple[int, ...]  # the last one is listed as its /28 network
    custom_domains: tuple[str, ...]
    tor_exits: tuple[int, ...]
    domains: Mapping[str, tuple[str, ...]]  # of further categories, by category
    addresses: Mapping[str, tuple[int, ...]]  # likewise

    @classmethod
    def of(cls, seed: int) -> Indicators:
        rng = stream(seed, "indicators")
        return cls(
            c2_addresses=tuple(public_address(rng) for _ in range(6)),
            c2_domains=tuple(bad_domain(rng) for _ in range(6)),
            malicious_addresses=tuple(public_address(rng) for _ in range(8)),
            custom_addresses=tuple(public_address(rng) for _ in range(8)),
            custom_domains=tuple(bad_domain(rng) for _ in range(4)),
            tor_exits=tuple(public_address(rng) for _ in range(6)),
            domains={category: tuple(bad_domain(rng) for _ in range(3)) for category in DOMAIN_CATEGORIES},
            addresses={one: tuple(public_address(rng) for _ in range(3)) for one in ADDRESS_CATEGORIES},
        )


def bad_domain(rng: np.random.Generator) -> str:
    """A made-up domain under a name reserved for examples."""
    return "".join(pick(rng, _SYLLABLES) for _ in range(int(rng.integers(2, 5)))) + f"{token(rng, 2)}.example"


def write_indicators(folder: Path, seed: int, known: Indicators) -> None:
    """Write the feeds, `intel.yaml` that lists them, and `threat-list.txt`, the custom list."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = stream(seed, "indicators nobody meets")
    lists = {
        "c2-addresses.txt": _address_lines(rng, known.c2_addresses),
        "malicious-addresses.txt": _address_lines(rng, known.malicious_addresses),
        "c2-domains.txt": _domain_lines(rng, known.c2_domains),
        "tor-exits.txt": _address_lines(rng, known.tor_exits),
        **{f"{one}-domains.txt": _domain_lines(rng, names) for one, names in known.domains.items()},
        **{f"{one}-addresses.txt": _address_lines(rng, numbers) for one, numbers in known.addresses.items()},
        "threat-list.txt": [
            *_address_lines(rng, known.custom_addresses[:-1]),
            f"{address(known.custom_addresses[-1] & ~15)}/28",
            *_mixed(rng, known.custom_domains, [bad_domain(rng) for _ in range(20)]),
        ],
    }
    for name, lines in lists.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    feeds = [
        _feed("simulated-c2-addresses", "ip", "c2"),
        _feed("simulated-malicious-addresses", "ip", "malicious"),
        _feed("simulated-c2-domains", "domain", "c2"),
        _feed("simulated-tor-exits", "ip", "tor-exit"),
        *(_feed(f"simulated-{category}-addresses", "ip", category) for category in known.addresses),
        *(_feed(f"simulated-{category}-domains", "domain", category) for category in known.domains),
    ]
    (folder / "intel.yaml").write_text(yaml.safe_dump({"feeds": feeds}, sort_keys=False), encoding="utf-8")


def _feed(name: str, kind: str, category: str) -> dict[str, str]:
    url = f"{name.removeprefix('simulated-')}.txt"
    return {"name": name, "url": url, "format": "plain", "kind": kind, "category": category, "license": "CC0-1.0"}


def _address_lines(rng: np.random.Generator, used: tuple[int, ...]) -> list[str]:
    return _mixed(rng, [address(one) for one in used], list(addresses(public_addresses(rng, UNSEEN))))


def _domain_lines(rng: np.random.Generator, used: tuple[str, ...]) -> list[str]:
    return _mixed(rng, used, [bad_domain(rng) for _ in range(UNSEEN)])


def _mixed(rng: np.random.Generator, used: list[str] | tuple[str, ...], unseen: list[str]) -> list[str]:
    lines = [*used, *unseen]
    return [lines[i] for i in rng.permutation(len(lines))]
