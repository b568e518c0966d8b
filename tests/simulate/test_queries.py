"""Look-ups of malware stand in the logs as they should, and their detectors find them and nothing else."""

from __future__ import annotations

from statistics import median

import polars as pl
import pytest

from guardray.detectors.loader import load_detectors
from guardray.schema import dns_activity
from guardray.simulate import Rates, simulate
from guardray.sources.aws_keys import KeyFilter
from guardray.sources.batching import Batch
from guardray.sources.objects import locate
from guardray.sources.reader import Reader
from guardray.testing import findings_from

from .conftest import SEED, Logs

GENERATED, EXFILTRATION = "Trojan:EC2/DGADomainRequest.B", "Trojan:EC2/DNSDataExfiltration"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Both types' attacks in one account, half a day."""
    folder = tmp_path_factory.mktemp("asked") / "out"
    rate, attacks = Rates.named("quiet"), (GENERATED, EXFILTRATION)
    return Logs(simulate(folder, accounts=1, days=0.5, seed=SEED, rate=rate, attacks=attacks))


def queries_of(logs: Logs, title: str) -> list[dict]:
    """What the host of this attack asked for in its time, below domains that nobody else asks for."""
    (label,) = (one for one in logs.labels if one["technique"].endswith(title))
    usual = {name_of(query) for query in logs.queries if not label["start"] <= query["query_timestamp"] <= label["end"]}
    return [
        query
        for query in logs.queries
        if label["start"] <= query["query_timestamp"] <= label["end"]
        and query["srcaddr"] == label["entity"].split("|")[-2]
        and name_of(query) not in usual
    ]


def name_of(query: dict) -> str:
    return query["query_name"].rstrip(".")


def below_the_commonest(queries: list[dict]) -> list[str]:
    """The names below the domain that most of them are below."""
    domains = [".".join(name_of(query).split(".")[-2:]) for query in queries]
    domain = max(set(domains), key=domains.count)
    return [name_of(query) for query, of in zip(queries, domains, strict=True) if of == domain]


def test_look_ups_of_the_tester_are_as_many_and_as_long_as_aws_makes_them(asked):
    names = below_the_commonest(queries_of(asked, "look-ups of AWS's tester"))
    lengths = [len(name) for name in names]
    assert (len(names), len(set(names))) == (930, 914)
    assert (min(lengths), max(lengths) > 220, max(lengths) <= 229) == (113, True, True)
    assert 115 <= median(lengths) <= 119
    labels = [name.split(".") for name in names]
    assert {len(of) for of in labels} == {4, 5, 6}
    assert max(len(of[0]) for of in labels) == 62


def test_generated_domains_are_not_there_but_for_the_last(asked):
    queries = [query for query in queries_of(asked, "letters, one a second") if query["query_name"].count(".") == 2]
    assert len(queries) >= 120
    assert sum(query["rcode"] == "NXDOMAIN" for query in queries) >= 119


def test_a_program_arrives_in_text_records(asked):
    queries = [query for query in queries_of(asked, "text records") if query["query_type"] == "TXT"]
    assert len({name_of(query) for query in queries}) == 120
    assert {len(query["answers"][0]["Rdata"]) for query in queries} == {240}


@pytest.mark.parametrize("finding_type", [GENERATED, EXFILTRATION])
def test_each_attack_is_found_and_nothing_harmless(asked, finding_type):
    (detector,) = load_detectors([finding_type])
    objects = locate([str(asked.folder / "AWSLogs")], KeyFilter())
    batches = [one for one in Reader().read(objects) if isinstance(one, Batch) and one.schema == dns_activity.SCHEMA]
    findings = findings_from(detector, pl.concat([one.frame for one in batches]))
    hosts = {one.resource.instance.interface.private_ip for one in findings}
    expected = [label for label in asked.labels if label["expected"] == finding_type]
    assert len(findings) == len(expected)
    assert hosts == {label["entity"].split("|")[-2] for label in expected}
