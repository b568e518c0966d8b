"""Attacks that query logs show: names of listed domains, and a name that leads to the metadata service."""

from __future__ import annotations

from functools import partial

import numpy as np

from guardray.simulate.addresses import public_address
from guardray.simulate.attacks.scene import Attack, Scene
from guardray.simulate.dns.queries import queries, question
from guardray.simulate.episodes import Episode
from guardray.simulate.indicators import bad_domain
from guardray.simulate.randomness import pick
from guardray.simulate.rendering import address

METADATA_SERVICE = "169.254.169.254"


def look_up(prefix: str, times: int, category: str, scene: Scene) -> Episode:
    """A host asks for a listed domain, or for a name under it."""
    rng, every = scene.rng, 120.0
    start, host = scene.moment(times * every), scene.position("web", "worker", "edge")
    name = f"{prefix}{pick(rng, scene.indicators.domains[category])}"
    found = question(name, "A", (address(public_address(rng)),))
    asked = queries(rng, start + np.arange(times) * every, host, found)
    return Episode((scene.of_host(host, start, start + times * every, ()),), queries=asked)


def answered_by(category: str, scene: Scene) -> Episode:
    """A name that nobody listed leads to an address that is listed."""
    rng, start, host = scene.rng, scene.moment(60), scene.position("web", "worker", "edge")
    found = question(bad_domain(rng), "A", (address(pick(rng, scene.indicators.addresses[category])),))
    asked = queries(rng, start + np.array([0.0, 20.0]), host, found)
    return Episode((scene.of_host(host, start, start + 60, ()),), queries=asked)


def rebind(scene: Scene) -> Episode:
    """A name that first leads outside and then to the metadata service."""
    rng, start, host = scene.rng, scene.moment(60), scene.position("web", "worker", "edge")
    name = f"{scene.account.period.end:.0f}.{bad_domain(rng)}"
    answers = (address(public_address(rng)), METADATA_SERVICE)
    asked = queries(rng, start + np.array([0.0, 3.0]), host, [question(name, "A", (answer,)) for answer in answers])
    return Episode((scene.of_host(host, start, start + 60, ()),), queries=asked)


_C2, _CUSTOM = "Backdoor:EC2/C&CActivity.B!DNS", "Impact:EC2/MaliciousDomainRequest.Custom"

ATTACKS = (
    Attack(_C2, "one look-up under a listed domain", "T1071.004", partial(look_up, "c2.", 1, "c2")),
    Attack(_C2, "a listed domain again and again", "T1071.004", partial(look_up, "", 12, "c2")),
    Attack(_CUSTOM, "a domain of the custom list", "T1071.004", partial(look_up, "", 2, "custom")),
    *(
        Attack(finding_type, f"a domain of {what}", technique, partial(look_up, "", 2, category))
        for finding_type, category, what, technique in (
            ("CryptoCurrency:EC2/BitcoinTool.B!DNS", "crypto", "a mining pool", "T1496"),
            ("Impact:EC2/AbusedDomainRequest.Reputation", "reputation-abused", "an abused service", "T1583.001"),
            ("Impact:EC2/BitcoinDomainRequest.Reputation", "reputation-crypto", "ill repute with miners", "T1496"),
            ("Impact:EC2/MaliciousDomainRequest.Reputation", "reputation-malicious", "ill repute", "T1583.001"),
            ("Impact:EC2/SuspiciousDomainRequest.Reputation", "reputation-suspicious", "doubtful repute", "T1583.001"),
            ("Trojan:EC2/BlackholeTraffic!DNS", "blackhole", "a black hole", "T1071.004"),
            ("Trojan:EC2/DGADomainRequest.C!DNS", "dga", "a generator", "T1568.002"),
            ("Trojan:EC2/DriveBySourceTraffic!DNS", "driveby", "a drive-by source", "T1189"),
            ("Trojan:EC2/DropPoint!DNS", "droppoint", "a drop point", "T1041"),
            ("Trojan:EC2/PhishingDomainRequest!DNS", "phishing", "a phishing site", "T1566.002"),
        )
    ),
    Attack(
        "Trojan:EC2/BlackholeTraffic!DNS",
        "a name leads to a black hole",
        "T1071.004",
        partial(answered_by, "blackhole"),
    ),
    Attack(
        "Impact:EC2/MaliciousDomainRequest.Reputation",
        "a name leads to a sinkhole",
        "T1583.001",
        partial(answered_by, "sinkhole"),
    ),
    Attack("UnauthorizedAccess:EC2/MetadataDNSRebind", "a name leads to the metadata", "T1552.005", rebind),
)
