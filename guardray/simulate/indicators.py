"""Threat intelligence that goes with the simulated attacks: feeds with their list of feeds, and a custom list.

Every list also holds indicators that nothing ever meets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from guardray.simulate.addresses import public_addresses
from guardray.simulate.randomness import pick, stream, token
from guardray.simulate.rendering import address, addresses

UNSEEN = 400
_SYLLABLES = ("vex", "lor", "mir", "zan", "kue", "tor", "bel", "oxi", "dra", "phi", "nul", "gat", "syn", "rav")


ADDRESS_LISTS = {
    "c2": 6,
    "malicious": 8,
    "custom": 8,  # the last one is listed as its /28 network
    "crypto": 4,
    "blackhole": 4,
    "droppoint": 4,
    "sinkhole": 4,
    "scanner": 6,
    "tor-exit": 6,
    "tor-entry": 4,
    "tor-relay": 24,
    "trusted": 2,  # on the list of malicious addresses as well
    "public-resolver": 6,
}
"""Category of the list: how many of its addresses attacks use."""

DOMAIN_LISTS = {
    "c2": 6,
    "custom": 4,
    "crypto": 4,
    "blackhole": 4,
    "dga": 4,
    "driveby": 4,
    "droppoint": 4,
    "phishing": 4,
    "reputation-abused": 4,
    "reputation-crypto": 4,
    "reputation-malicious": 4,
    "reputation-suspicious": 4,
    "trusted": 2,  # on the list of command-and-control domains as well
}


@dataclass(frozen=True)
class Indicators:
    """Indicators that attacks use, by the category of their list. Addresses are numbers."""

    addresses: dict[str, tuple[int, ...]]
    domains: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, seed: int) -> Indicators:
        return cls(
            addresses={
                category: tuple(map(int, public_addresses(stream(seed, "listed addresses", category), count)))
                for category, count in ADDRESS_LISTS.items()
            },
            domains={
                category: tuple(bad_domain(rng) for _ in range(count))
                for category, count in DOMAIN_LISTS.items()
                for rng in (stream(seed, "listed domains", category),)
            },
        )


def bad_domain(rng: np.random.Generator) -> str:
    """A made-up domain under a name reserved for examples."""
    return "".join(pick(rng, _SYLLABLES) for _ in range(int(rng.integers(2, 5)))) + f"{token(rng, 2)}.example"


def write_indicators(folder: Path, seed: int, known: Indicators) -> None:
    """Write the feeds, `intel.yaml` that lists them, and the custom lists `threat-list.txt` and `trusted-list.txt`."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = stream(seed, "indicators nobody meets")
    addresses, domains = known.addresses, known.domains
    feeds = []
    for category, listed in addresses.items():
        if category not in OWN_LISTS:
            also = addresses["trusted"] if category == "malicious" else ()
            _write(folder / f"{category}-addresses.txt", _address_lines(rng, (*listed, *also)))
            feeds.append(_feed(f"{category}-addresses", "ip", category))
    for category, names in domains.items():
        if category not in OWN_LISTS:
            also_names = domains["trusted"] if category == "c2" else ()
            _write(folder / f"{category}-domains.txt", _mixed(rng, (*names, *also_names), _unseen_domains(rng, UNSEEN)))
            feeds.append(_feed(f"{category}-domains", "domain", category))
    custom = addresses["custom"]
    threat_list = [
        *_address_lines(rng, custom[:-1]),
        f"{address(custom[-1] & ~15)}/28",
        *_mixed(rng, domains["custom"], _unseen_domains(rng, 20)),
    ]
    _write(folder / "threat-list.txt", threat_list)
    _write(folder / "trusted-list.txt", [*map(address, addresses["trusted"]), *domains["trusted"]])
    (folder / "intel.yaml").write_text(yaml.safe_dump({"feeds": feeds}, sort_keys=False), encoding="utf-8")


OWN_LISTS = ("custom", "trusted")
"""Lists that a customer uploads; the others are feeds."""


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _unseen_domains(rng: np.random.Generator, count: int) -> list[str]:
    return [bad_domain(rng) for _ in range(count)]


def _feed(file: str, kind: str, category: str) -> dict[str, str]:
    return {
        "name": f"simulated-{file}",
        "url": f"{file}.txt",
        "format": "plain",
        "kind": kind,
        "category": category,
        "license": "CC0-1.0",
    }


def _address_lines(rng: np.random.Generator, used: tuple[int, ...]) -> list[str]:
    return _mixed(rng, [address(one) for one in used], list(addresses(public_addresses(rng, UNSEEN))))


def _mixed(rng: np.random.Generator, used: list[str] | tuple[str, ...], unseen: list[str]) -> list[str]:
    lines = [*used, *unseen]
    return [lines[i] for i in rng.permutation(len(lines))]
