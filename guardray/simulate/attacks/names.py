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


def look_up(prefix: str, times: int, custom: bool, scene: Scene) -> Episode:
    """A host asks for a listed domain, or for a name under it."""
    rng, every = scene.rng, 120.0
    start, host = scene.moment(times * every), scene.position("web", "worker", "edge")
    domains = scene.indicators.custom_domains if custom else scene.indicators.c2_domains
    name = f"{prefix}{pick(rng, domains)}"
    found = question(name, "A", (address(public_address(rng)),))
    asked = queries(rng, start + np.arange(times) * every, host, found)
    return Episode((scene.of_host(host, start, start + times * every, ()),), queries=asked)


def rebind(scene: Scene) -> Episode:
    """A name that first leads outside and then to the metadata service."""
    rng, start, host = scene.rng, scene.moment(60), scene.position("web", "worker", "edge")
    name = f"{scene.account.period.end:.0f}.{bad_domain(rng)}"
    answers = (address(public_address(rng)), METADATA_SERVICE)
    asked = queries(rng, start + np.array([0.0, 3.0]), host, [question(name, "A", (answer,)) for answer in answers])
    return Episode((scene.of_host(host, start, start + 60, ()),), queries=asked)


_C2, _CUSTOM = "Backdoor:EC2/C&CActivity.B!DNS", "Impact:EC2/MaliciousDomainRequest.Custom"

ATTACKS = (
    Attack(_C2, "one look-up under a listed domain", "T1071.004", partial(look_up, "c2.", 1, False)),
    Attack(_C2, "a listed domain again and again", "T1071.004", partial(look_up, "", 12, False)),
    Attack(_CUSTOM, "a domain of the custom list", "T1071.004", partial(look_up, "", 2, True)),
    Attack("UnauthorizedAccess:EC2/MetadataDNSRebind", "a name leads to the metadata", "T1552.005", rebind),
)
