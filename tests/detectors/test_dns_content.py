"""Generated domains and data in names: what findings say, and what is found in real logs."""

from __future__ import annotations

import gzip
from bisect import bisect_left
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from guardray.detectors.ec2 import dga_domain_request, dns_data_exfiltration
from guardray.detectors.ec2.queries import query
from guardray.intel.store import IndicatorStore
from guardray.schema import dns_activity
from guardray.sources.decoder import Origin
from guardray.sources.route53 import ResolverQueries
from guardray.testing import findings_from, frame_of

GENERATED, EXFILTRATION = dga_domain_request.DETECTOR, dns_data_exfiltration.DETECTOR

TUNNELS = {
    "tunnel-dnscat2-cname": 45,
    "tunnel-dnscat2-mixed-short": 90,
    "tunnel-dnscat2-skullsec-short": 60,
    "tunnel-dnscat2-txt": 45,
    "tunnel-iodine-cname": 80,
    "tunnel-iodine-null-short": 80,
}
"""Log of a tunnel: after how many of its queries it is found at the latest."""

ORDINARY = (
    *(f"benign-popular-{number}" for number in ("02", "07", "12", "17", "22", "27")),
    "cloud-vm-20240419",
    "competition-net-a",
    "emotet-20210106",
    "home-net-20240429",
)
FAMILIES_OF_WORDS = {"gozi", "suppobox"}
"""Their names are words in a row, which the model does not tell from ordinary names."""


def real(shared_data: Path, name: str) -> pl.DataFrame:
    lines = gzip.decompress((shared_data / "dns" / f"{name}.log.gz").read_bytes())
    return ResolverQueries().decode(lines, 0, Origin(url=name)).frame.sort("time", maintain_order=True)


def queries_until_found(rows: pl.DataFrame) -> int | None:
    """After how many of the queries there is a finding; None if there never is one."""
    counts = range(1, rows.height + 1)
    found = bisect_left(counts, True, key=lambda count: bool(findings_from(EXFILTRATION, rows.head(count))))
    return counts[found] if found < len(counts) else None


class TestRealLogs:
    pytestmark = pytest.mark.data

    @pytest.mark.parametrize("name", TUNNELS)
    def test_each_tunnel_is_found_and_early(self, shared_data, name):
        found = queries_until_found(real(shared_data, name))
        assert found is not None
        assert found <= TUNNELS[name]

    @pytest.mark.parametrize("name", ORDINARY)
    @pytest.mark.parametrize("detector", [GENERATED, EXFILTRATION], ids=lambda one: one.finding_type)
    def test_nothing_is_found_in_ordinary_traffic(self, shared_data, detector, name):
        assert findings_from(detector, real(shared_data, name)) == []

    def test_a_burst_of_any_family_is_found_that_is_not_of_words(self, shared_data):
        families = pl.read_csv(shared_data / "domains" / "dga.csv.gz").filter(pl.len().over("family") >= 12)
        missed = {family for (family,), names in families.group_by("family") if not is_found(names["domain"])}
        assert missed <= FAMILIES_OF_WORDS


def is_found(names: pl.Series) -> bool:
    """Whether 40 of the names, or all if there are fewer, make a finding when nobody answers them."""
    chosen = np.random.default_rng(1).permutation(names.to_numpy())[:40]
    return bool(findings_from(GENERATED, burst(*chosen)))


def burst(*names: str, **columns: object) -> pl.DataFrame:
    return frame_of(dns_activity.SCHEMA, [{**query(name), "rcode": "NXDOMAIN", **columns} for name in names])


def tunnel(domain: str, count: int = 40) -> pl.DataFrame:
    digits = np.random.default_rng(0).choice(list("abcdefghijklmnopqrstuvwxyz234567"), (count, 100))
    return burst(*(f"{''.join(row[:60])}.{''.join(row[60:])}.{domain}" for row in digits))


def test_a_burst_is_told_by_its_domains_and_how_many_there_were():
    names = [f"www.{label}.com" for label in dga_domain_request.DRAWN]
    (finding,) = findings_from(GENERATED, burst(*names, *names, "garden-hotel.de"))
    info = finding.additional_info
    assert (info["generatedDomains"], info["unresolvedDomains"], info["queries"]) == (12, 13, 25)
    assert info["domains"] == sorted(f"{label}.com" for label in dga_domain_request.DRAWN)[:10]
    assert info["modelPercent"] >= 90
    assert (
        "12 look as if a program had made them up, such as bvxqkzjwmthg.com and hxkqzvwjbtrm.com" in finding.description
    )


def test_a_tunnel_is_told_by_its_domain_and_what_it_carried():
    (finding,) = findings_from(EXFILTRATION, tunnel("t.example.com"))
    info = finding.additional_info
    assert (info["domain"], info["recordTypes"]) == ("example.com", ["A"])
    assert (info["queries"], info["distinctNames"], info["namesThatCarryData"]) == (40, 40, 40)
    # 100 random letters of 32 carry 500 bits, of which their own frequencies show some 460: 40 x 58 bytes.
    assert 2100 < info["bytesInNames"] < 2500
    assert finding.action.domain_with_suffix == "example.com"


def test_two_tunnels_of_an_instance_are_two_findings():
    rows = pl.concat([tunnel("one.com"), tunnel("two.com")])
    assert {one.additional_info["domain"] for one in findings_from(EXFILTRATION, rows)} == {"one.com", "two.com"}


def test_two_instances_do_not_add_up():
    halves = [
        burst(*(f"{label}.com" for label in part))
        for part in (dga_domain_request.DRAWN[:6], dga_domain_request.DRAWN[6:])
    ]
    rows = pl.concat([halves[0], halves[1].with_columns(instance_uid=pl.lit("i-other"))])
    assert findings_from(GENERATED, rows) == []


def test_a_domain_on_a_trusted_list_is_quiet():
    trusted = IndicatorStore.of({"*.example.com": "trusted"})
    assert findings_from(EXFILTRATION, tunnel("t.example.com"), trusted) == []
