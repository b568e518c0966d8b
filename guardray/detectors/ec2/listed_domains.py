"""Instances that ask for a domain on a threat list or for a name under it, one finding type a category of lists.

Backdoor:EC2/C&CActivity.B!DNS, CryptoCurrency:EC2/BitcoinTool.B!DNS, Impact:EC2/MaliciousDomainRequest.Custom, of
Trojan:EC2/… BlackholeTraffic!DNS, DGADomainRequest.C!DNS, DriveBySourceTraffic!DNS, DropPoint!DNS and
PhishingDomainRequest!DNS, and of Impact:EC2/… AbusedDomainRequest.Reputation, BitcoinDomainRequest.Reputation,
MaliciousDomainRequest.Reputation and SuspiciousDomainRequest.Reputation. Asking is enough, whatever the answer: it may
have come from a firewall. A name that is answered with the address of a black hole or a sinkhole tells as much as the
name itself.

Source: GuardDuty user guide, EC2 finding types.
"""

from __future__ import annotations

from dataclasses import dataclass

from guardray.detectors.declare import Example, IndicatorDetector, fires, quiet
from guardray.detectors.ec2.connections import RESOURCE
from guardray.detectors.ec2.queries import FROM_INSIDE, query, request_details
from guardray.detectors.malicious_callers import list_names, threat_intelligence
from guardray.findings.details import Details
from guardray.intel.categories import Category
from guardray.schema import dns_activity
from guardray.types import Row


@dataclass(frozen=True)
class Domain:
    """A finding type and the lists it looks at. `what` completes the sentence "… asked for …".

    `answer` is the category of addresses that, in an answer, count like the name.
    """

    finding_type: str
    category: Category
    severity: float
    what: str
    answer: Category | None = None


DOMAINS = (
    Domain("Backdoor:EC2/C&CActivity.B!DNS", "c2", 8.0, "a command-and-control domain"),
    Domain("CryptoCurrency:EC2/BitcoinTool.B!DNS", "crypto", 8.0, "a domain of cryptocurrency infrastructure"),
    Domain("Impact:EC2/MaliciousDomainRequest.Custom", "custom", 5.0, "a domain on a threat list of yours"),
    Domain("Impact:EC2/AbusedDomainRequest.Reputation", "reputation-abused", 5.0, "a domain of an abused service"),
    Domain("Impact:EC2/BitcoinDomainRequest.Reputation", "reputation-crypto", 8.0, "a domain tied to cryptocurrency"),
    Domain("Impact:EC2/MaliciousDomainRequest.Reputation", "reputation-malicious", 8.0, "a bad domain", "sinkhole"),
    Domain("Impact:EC2/SuspiciousDomainRequest.Reputation", "reputation-suspicious", 2.0, "a suspicious domain"),
    Domain("Trojan:EC2/BlackholeTraffic!DNS", "blackhole", 5.0, "a domain that leads to a black hole", "blackhole"),
    Domain("Trojan:EC2/DGADomainRequest.C!DNS", "dga", 8.0, "a domain that malware generates"),
    Domain("Trojan:EC2/DriveBySourceTraffic!DNS", "driveby", 8.0, "a source of drive-by downloads"),
    Domain("Trojan:EC2/DropPoint!DNS", "droppoint", 5.0, "a collection point for stolen data"),
    Domain("Trojan:EC2/PhishingDomainRequest!DNS", "phishing", 8.0, "a phishing site"),
)


def _details(domain: Domain, row: Row) -> Details:
    who, name = row["resource_uid"], row["query_hostname"]
    values = ", ".join(sorted({indicator.value for indicator in row["indicators"]}))
    return request_details(
        row,
        title=f"{who} asked for {domain.what}, {name}.",
        description=f"{who} asked the resolver for {name}; the threat list {list_names(row)} names {values} as "
        f"{domain.what}.",
        threats=threat_intelligence(row),
    )


def _examples(category: Category) -> tuple[Example, ...]:
    listed: dict[str, Category] = {"bad.example": category}
    other: dict[str, Category] = {"bad.example": "public-resolver"}
    return (
        fires("an instance asks for a listed domain", query("bad.example"), indicators=listed),
        fires("an instance asks for a name under it", query("a.b.bad.example"), indicators=listed),
        fires("the log does not name the instance", query("bad.example", instance_uid=None), indicators=listed),
        fires("a firewall blocks the query", query("bad.example", is_blocked=True), indicators=listed),
        quiet("the name only ends alike", query("notbad.example"), indicators=listed),
        quiet("the name is above the listed one", query("example"), indicators=listed),
        quiet("the domain is on no list", query("bad.example")),
        quiet("the domain is on another kind of list", query("bad.example"), indicators=other),
        quiet(
            "somebody outside the VPC asks", query("bad.example", resolver_endpoint_uid="rslvr-in-1"), indicators=listed
        ),
        quiet("the name is unknown", query(None), indicators=listed),
    )


def _answer_examples(category: Category | None) -> tuple[Example, ...]:
    if category is None:
        return ()
    listed: dict[str, Category] = {"198.51.100.7": category}
    answered = query("fine.example", answers=["198.51.100.7"], answer_types=["A"])
    return (
        fires("the answer is a listed address", answered, indicators=listed),
        quiet("the answer is another address", dict(answered, answers=["198.51.100.8"]), indicators=listed),
        quiet("there is no answer", dict(answered, answers=[]), indicators=listed),
    )


def _detector(domain: Domain) -> IndicatorDetector:
    return IndicatorDetector(
        finding_type=domain.finding_type,
        severity=domain.severity,
        source="dns",
        schema=dns_activity.SCHEMA,
        role="ACTOR",
        entity=RESOURCE,
        where=FROM_INSIDE,
        indicator=("query_hostname",) if domain.answer is None else ("query_hostname", "answers"),
        categories=(domain.category,) if domain.answer in (None, domain.category) else (domain.category, domain.answer),
        details=lambda row: _details(domain, row),
        examples=(*_examples(domain.category), *_answer_examples(domain.answer)),
    )


DETECTORS = tuple(map(_detector, DOMAINS))
