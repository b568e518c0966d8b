"""Look-ups that are as they should be, though their names look bad."""

from __future__ import annotations

import numpy as np

from guardray.simulate.addresses import public_address
from guardray.simulate.benign.occasion import HardNegative, Occasion
from guardray.simulate.dns.queries import queries, question
from guardray.simulate.episodes import Episode
from guardray.simulate.randomness import pick, token
from guardray.simulate.rendering import address

C2, CUSTOM = "Backdoor:EC2/C&CActivity.B!DNS", "Impact:EC2/MaliciousDomainRequest.Custom"
REBIND = "UnauthorizedAccess:EC2/MetadataDNSRebind"
GENERATED = ("Trojan:EC2/DNSDataExfiltration", "Trojan:EC2/DGADomainRequest.B")


def look_alikes(at: Occasion) -> Episode:
    """Domains that contain a listed one without being it or under it."""
    bad = pick(at.rng, at.indicators.domains["c2"]), pick(at.rng, at.indicators.domains["custom"])
    names = [f"not{bad[0]}", f"{bad[0]}.pixelharbor.example", f"my-{bad[1]}", f"{bad[1]}.cdn.fontshed.example"]
    return _asked(at, [question(name, "A", (address(public_address(at.rng)),)) for name in names])


def trusted_domains(at: Occasion) -> Episode:
    """Domains that some feed lists, and that are on the trusted list."""
    names = at.indicators.domains["trusted"]
    return _asked(at, [question(name, "A", (address(public_address(at.rng)),)) for name in names])


def instance_data(at: Occasion) -> Episode:
    """Boot software looks for the metadata service under the names that AWS gave it."""
    names = ("instance-data.ec2.internal", f"instance-data.{at.account.region}.compute.internal")
    return _asked(at, [question(names[0], "A", ("169.254.169.254",)), question(names[1])])


def near_metadata(at: Occasion) -> Episode:
    """Names that lead to other link-local and private addresses."""
    answers = ("169.254.169.253", "169.254.169.123", "10.254.169.254", "169.254.16.254")
    return _asked(at, [question(f"svc-{i}.{at.account.domain}", "A", (one,)) for i, one in enumerate(answers)])


def file_reputations(at: Occasion) -> Episode:
    """An antivirus asks about files by their hash, a logger sends counts in long labels (part of everyday queries)."""
    return Episode((at.label(at.piece.start, at.piece.end - 1, entity=at.names_of(at.account.first("worker"))),))


def block_lists(at: Occasion) -> Episode:
    """A mail server asks block lists about each sender's address and domain, and for keys of senders."""
    rng, questions = at.rng, []
    for _ in range(400):
        reverse = ".".join(reversed(address(public_address(rng)).split(".")))
        domain = f"{pick(rng, _WORDS)}-{pick(rng, _WORDS)}{rng.integers(1, 99)}.example"
        questions += [
            question(f"{reverse}.zen.blockquill.example", "A", ("127.0.0.4",) if rng.random() < 0.1 else ()),
            question(f"{domain}.uri.blockquill.example"),
            question(f"s{rng.integers(1, 9)}._domainkey.{domain}", "TXT", (f"v=DKIM1; k=rsa; p={token(rng, 390)}",)),
            question(domain, "TXT", (f"v=spf1 {' '.join(f'include:_spf{i}.{domain}' for i in range(4))} -all",)),
        ]
    return _asked(at, questions, every=2.0)


def file_digests(at: Occasion) -> Episode:
    """An antivirus looks up the SHA-256 of each new file."""
    names = (f"{token(at.rng, 32)}.{token(at.rng, 32)}.f.avquill.example" for _ in range(250))
    return _asked(at, [question(name, "A", ("127.0.0.1",)) for name in names])


def random_probes(at: Occasion) -> Episode:
    """Browsers ask for drawn labels to see whether somebody answers for every name, bare and in the search domain."""
    labels = [token(at.rng, int(at.rng.integers(7, 16)), _LETTERS) for _ in range(60)]
    return _asked(at, [question(f"{label}{domain}") for label in labels for domain in ("", f".{at.account.domain}")])


def dead_links(at: Occasion) -> Episode:
    """A checker of links asks for domains that are gone: most are words, some are odd."""
    rng = at.rng
    words = [f"{pick(rng, _WORDS)}{pick(rng, _WORDS)}{i}.example" for i in range(150)]
    odd = [f"{token(rng, 11, _LETTERS)}.example" for _ in range(15)]
    return _asked(at, [question(str(name)) for name in rng.permutation([*words, *odd])])


def odd_names(at: Occasion) -> Episode:
    """Advertising and content delivery ask for drawn domains, which exist."""
    domains = [f"{token(at.rng, 12, _LETTERS)}.example" for _ in range(40)]
    return _asked(at, [question(f"cdn.{name}", "A", (address(public_address(at.rng)),)) for name in domains])


def long_names(at: Occasion) -> Episode:
    """An agent reports to the same long name all the time."""
    name = f"{token(at.rng, 56)}.{token(at.rng, 48)}.ingest.logpine.example"
    return _asked(at, [question(name, "A", ("10.0.0.1",))] * 300)


def _asked(at: Occasion, questions: list[str], every: float = 9.0) -> Episode:
    took = max(120.0, every * len(questions))
    start, host = at.moment(took), at.position("web", "worker")
    found = queries(at.rng, start + every * np.arange(len(questions)), host, questions)
    return Episode((at.label(start, start + took, entity=at.names_of(host)),), queries=found)


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORDS = (
    "garden", "hotel", "print", "music", "river", "bakery", "cycle", "studio", "travel", "school", "repair", "market",
    "photo", "yoga", "legal", "dental", "coffee", "flower", "sport", "home",
)  # fmt: skip


HARD_NEGATIVES = (
    HardNegative("look-alike domains", (C2, CUSTOM), look_alikes, daily=True),
    HardNegative("listed but trusted domains", (C2,), trusted_domains, daily=True),
    HardNegative("metadata names of AWS", (REBIND,), instance_data, daily=True),
    HardNegative("addresses near the metadata service", (REBIND,), near_metadata, daily=True),
    HardNegative("file reputation look-ups", GENERATED, file_reputations, daily=True),
    HardNegative("block lists and keys of senders", GENERATED, block_lists, daily=True),
    HardNegative("digests of files", GENERATED, file_digests, daily=True),
    HardNegative("random probes of browsers", GENERATED, random_probes, daily=True),
    HardNegative("links that are gone", GENERATED, dead_links, daily=True),
    HardNegative("odd names that exist", GENERATED, odd_names, daily=True),
    HardNegative("one long name", GENERATED, long_names, daily=True),
)
