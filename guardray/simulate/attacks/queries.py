"""Attacks by the names that are asked for: domains that malware makes up, and data in names and in answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import numpy as np

from guardray.simulate.addresses import public_address
from guardray.simulate.attacks.scene import Attack, Scene
from guardray.simulate.dns.queries import queries, question
from guardray.simulate.episodes import Episode
from guardray.simulate.indicators import bad_domain
from guardray.simulate.randomness import token
from guardray.simulate.rendering import address

BASE32, BASE64 = "abcdefghijklmnopqrstuvwxyz234567", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

TESTER_LOOKUPS, TESTER_NAMES = 930, 914
"""What AWS's tester of GuardDuty asks for: a file in names like iodine's."""

TESTER_LENGTHS, TESTER_USUAL_LENGTH = (113, 229), 117
LONGEST_LABEL = 62


def by_remainders(rng: np.random.Generator, count: int) -> list[str]:
    """Letters by the remainders of a quadratic sequence that a date starts."""
    state, labels = int(rng.integers(1 << 20, 1 << 40)), []
    for _ in range(count):
        label = ""
        for _ in range(12 + state % 5):
            state = (state * state + 0x5DEECE66D) % 281474976710597
            label += chr(ord("a") + state % 26)
        labels.append(label)
    return labels


def by_digest(rng: np.random.Generator, count: int) -> list[str]:
    """The beginning of a date's digest with a counter, in base 32."""
    seed = token(rng, 8)
    digests = (hashlib.sha256(f"{seed}-{i}".encode()).digest() for i in range(count))
    return ["".join(BASE32[byte % 32] for byte in digest[:15]) for digest in digests]


def generated(
    labels: Callable[[np.random.Generator, int], list[str]], count: int, every: float, scene: Scene
) -> Episode:
    """A host tries one made-up domain after the other until one exists."""
    rng, start, host = scene.rng, scene.moment(count * every), scene.position("worker", "web")
    questions = [question(f"{label}.example") for label in labels(rng, count)]
    questions[-1] = question(bad_domain(rng), "A", (address(public_address(rng)),))
    asked = queries(rng, start + every * np.arange(count), host, questions)
    return Episode((scene.of_host(host, start, start + count * every, ()),), queries=asked)


def tester(scene: Scene) -> Episode:
    """The look-ups of AWS's tester: long names of four to six labels below one domain, a few of them twice."""
    rng, every = scene.rng, 0.4
    domain, start, host = bad_domain(rng), scene.moment(TESTER_LOOKUPS * every), scene.position("worker", "web")
    lengths = np.where(
        rng.random(TESTER_NAMES) < 0.7,
        rng.integers(TESTER_LENGTHS[0], TESTER_USUAL_LENGTH + 1, TESTER_NAMES),
        rng.integers(TESTER_USUAL_LENGTH, TESTER_LENGTHS[1] + 1, TESTER_NAMES),
    )
    names = [carrier(rng, int(length) - len(domain) - 1, domain) for length in lengths]
    again = rng.choice(names, TESTER_LOOKUPS - TESTER_NAMES).tolist()
    questions = [question(name) for name in [*names, *again]]
    asked = queries(rng, start + every * np.arange(TESTER_LOOKUPS), host, questions)
    return Episode((scene.of_host(host, start, start + TESTER_LOOKUPS * every, ()),), queries=asked)


def slow_upload(scene: Scene) -> Episode:
    """A file of a few kilobytes leaves in names, one every half minute; the server answers each with an address."""
    rng, count, every = scene.rng, 80, 30.0
    domain, start, host = bad_domain(rng), scene.moment(count * every), scene.position("worker", "web")
    answer = (address(public_address(rng)),)
    questions = [question(carrier(rng, 150, domain), "A", answer) for _ in range(count)]
    asked = queries(rng, start + every * np.arange(count), host, questions)
    return Episode((scene.of_host(host, start, start + count * every, ()),), queries=asked)


def download(scene: Scene) -> Episode:
    """A program arrives in text records, a piece a name."""
    rng, count, every = scene.rng, 120, 2.0
    domain, start, host = bad_domain(rng), scene.moment(count * every), scene.position("worker", "web")
    questions = [question(f"{i:04}.stage.{domain}", "TXT", (token(rng, 240, BASE64),)) for i in range(count)]
    asked = queries(rng, start + every * np.arange(count), host, questions)
    return Episode((scene.of_host(host, start, start + count * every, ()),), queries=asked)


def carrier(rng: np.random.Generator, length: int, domain: str) -> str:
    """A name with so many characters of data, the dots between them included, below the domain."""
    first = min(LONGEST_LABEL, length // 2)
    count = -(-(length - first) // LONGEST_LABEL)
    letters = length - first - count
    sizes = [first, *(letters // count + (place < letters % count) for place in range(count))]
    return ".".join((*(token(rng, size, BASE32) for size in sizes), domain))


_GENERATED, _EXFILTRATION = "Trojan:EC2/DGADomainRequest.B", "Trojan:EC2/DNSDataExfiltration"

ATTACKS = (
    Attack(_GENERATED, "letters, one a second", "T1568.002", partial(generated, by_remainders, 120, 1.0)),
    Attack(_GENERATED, "base 32, one a minute", "T1568.002", partial(generated, by_digest, 50, 60.0)),
    Attack(_EXFILTRATION, "look-ups of AWS's tester", "T1048.003", tester),
    Attack(_EXFILTRATION, "a file leaves slowly", "T1048.003", slow_upload),
    Attack(_EXFILTRATION, "a program arrives in text records", "T1071.004", download),
)
