"""Real lists are read whole: what is not taken is known by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardray.intel.entries import Entries
from guardray.intel.formats import Columns, parse, sniff

pytestmark = pytest.mark.data

TOR_CSV = Columns(indicator="ipaddr")
MALTRAIL = Columns(indicator="indicator", kind="kind", threat_name="family", category="group")


@pytest.fixture
def lists(shared_data: Path) -> Path:
    return shared_data / "intel"


def read(lists: Path, name: str, format_: str, kind: str = "ip", **options) -> Entries:
    return parse((lists / name).read_bytes(), format_, kind, **options)


@pytest.mark.parametrize(
    ("name", "format_", "options", "counts", "skipped"),
    [
        ("datacenter-ipv4-20260822.txt.gz", "plain", {}, (42_566, 0), 0),
        ("vpn-ipv4-20260822.txt.gz", "TXT", {}, (10_862, 0), 0),
        ("threatfox-ips-20240419.txt.gz", "plain", {}, (95_543, 0), 116),  # reserved addresses
        ("tor-exit-nodes-20240227.txt.gz", "plain", {}, (1_127, 619), 0),
        ("tor-nodes-20240227.txt.gz", "plain", {}, (5_631, 2_423), 0),
        ("tor-exits-20260822.csv.gz", "csv", {"columns": TOR_CSV}, (3_230, 2_703), 0),
        ("ipsum-20260822.txt.gz", "ipsum", {"min_lists": 3}, (14_217, 0), 0),
    ],
)
def test_lists_of_addresses(lists, name, format_, options, counts, skipped):
    entries = read(lists, name, format_, **options)
    assert ((entries.v4.height, entries.v6.height), entries.skipped) == (counts, skipped)


def test_a_list_of_domains_by_malware(lists):
    columns = Columns(indicator="domain", threat_name="malware")
    entries = read(lists, "blackbook-domains-20240901.csv.gz", "csv", "domain", columns=columns)
    assert (entries.domains.height, entries.skipped) == (18_151, 0)
    assert entries.domains["threat_name"][0] == "keitaro"


def test_a_list_of_addresses_and_domains_by_family_without_what_it_is_wrong_about(lists):
    shared = ["204.79.197.200"]
    name = "maltrail-static.csv.gz"
    listed, cut = (
        read(lists, name, "csv", "any", columns=MALTRAIL, categories={"malicious": "malicious"}, except_=excepted)
        for excepted in ((), shared)
    )
    assert (listed.v4.height, listed.domains.height, listed.skipped) == (81_963, 167_718, 5)
    assert listed.v4["threat_name"].null_count() == 0
    assert 0 < listed.v4.height - cut.v4.height < 10


def test_lists_of_one_value_a_line_are_told_as_such(lists):
    for name in ("threatfox-ips-20260822.txt.gz", "vpn-ipv4-20260822.txt.gz"):
        assert sniff((lists / name).read_bytes(), name) == "TXT"
