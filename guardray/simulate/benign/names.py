"""Look-ups that are as they should be, though their names look bad."""

from __future__ import annotations

import numpy as np

from guardray.simulate.addresses import public_address
from guardray.simulate.benign.occasion import HardNegative, Occasion
from guardray.simulate.dns.queries import queries, question
from guardray.simulate.episodes import Episode
from guardray.simulate.randomness import pick
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


def _asked(at: Occasion, questions: list[str]) -> Episode:
    start, host = at.moment(120), at.position("web", "worker")
    found = queries(at.rng, start + 9.0 * np.arange(len(questions)), host, questions)
    return Episode((at.label(start, start + 120, entity=at.names_of(host)),), queries=found)


HARD_NEGATIVES = (
    HardNegative("look-alike domains", (C2, CUSTOM), look_alikes, daily=True),
    HardNegative("listed but trusted domains", (C2,), trusted_domains, daily=True),
    HardNegative("metadata names of AWS", (REBIND,), instance_data, daily=True),
    HardNegative("addresses near the metadata service", (REBIND,), near_metadata, daily=True),
    HardNegative("file reputation look-ups", GENERATED, file_reputations, daily=True),
)
