"""Each format of GuardDuty's lists and of public feeds is read as its publisher writes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from intel.written import written

from guardray.intel.formats import FORMATS, Columns, parse, sniff
from guardray.intel.values import range_text

TXT = """
198.51.100.7
203.0.113.0/24
bad.example.net
"""

STIX = """<?xml version="1.0" encoding="UTF-8"?>
<stix:STIX_Package xmlns:stix="http://stix.mitre.org/stix-1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <cybox:Object xmlns:cybox="c" xmlns:AddressObj="a" xmlns:D="d">
  <cybox:Properties xsi:type="AddressObj:AddressObjectType" category="ipv4-addr">
   <AddressObj:Address_Value condition="InclusiveBetween" apply_condition="ANY"
     >198.51.100.5##comma##198.51.100.10</AddressObj:Address_Value>
  </cybox:Properties>
  <cybox:Properties xsi:type="AddressObj:AddressObjectType" category="cidr">
   <AddressObj:Address_Value condition="Equals">203.0.113.0/24##comma## 192.0.2.9 </AddressObj:Address_Value>
  </cybox:Properties>
  <cybox:Properties xsi:type="D:DomainNameObjectType"><D:Value>bad.example.net</D:Value></cybox:Properties>
  <cybox:Properties xsi:type="AddressObj:AddressObjectType" category="ipv4-addr">
   <AddressObj:Address_Value condition="DoesNotEqual">192.0.2.77</AddressObj:Address_Value>
  </cybox:Properties>
  <cybox:Properties xsi:type="FileObj:FileObjectType"><D:Value>other.example.net</D:Value></cybox:Properties>
 </cybox:Object>
</stix:STIX_Package>
"""

OTX_CSV = """Indicator type, Indicator, Description
CIDR, 203.0.113.0/24, example
IPv4, 198.51.100.6, "of one, or more"
Domain name, bad.example.net, example
FileHash-MD5, d41d8cd98f00b204e9800998ecf8427e, example
URL, http.example.net, a page
"""

ALIEN_VAULT = """198.51.100.4#4#2#Malicious Host#KR##37.51,126.97#3
203.0.113.11#4#2#Scanning Host;Malicious Host#CN#Beijing#39.9,116.3#3;11
"""

PROOF_POINT = """ip, category, score, first_seen, last_seen, ports (|)
198.51.100.4, 1, 100, 2000-01-01, 2000-01-01,
203.0.113.11, 1, 100, 2000-01-01, 2000-01-01, 80|443
"""

_FIRE_EYE_HEADER = [f"column{number}" for number in range(47)]
_FIRE_EYE_HEADER[:6] = ["reportId", "title", "threatScape", "audience", "intelligenceType", "publishDate"]
_FIRE_EYE_HEADER[31], _FIRE_EYE_HEADER[32], _FIRE_EYE_HEADER[35] = "cidr", "domain", "ip"


def _fire_eye_line(**values: str) -> str:
    return ",".join(f'"{values.get(name, "")}"' for name in _FIRE_EYE_HEADER)


FIRE_EYE = "\n".join(
    [
        ",".join(_FIRE_EYE_HEADER),
        _fire_eye_line(reportId="01-0001", title="One, two", ip="198.51.100.6"),
        _fire_eye_line(reportId="01-0002", cidr="203.0.113.0/24", domain="bad.example.net"),
        _fire_eye_line(reportId="01-0003", title="203.0.113.99 is only in the title"),
    ]
)

HOSTS = """# a hosts file
127.0.0.1 localhost localhost.localdomain
::1 ip6-localhost
0.0.0.0 0.0.0.0
0.0.0.0 bad.example.net worse.example.net # why
0.0.0.0\tWORST.example.net
no-address.example.net
"""

THREATFOX = """################################################################
# ThreatFox IOCs                                               #
################################################################
#
# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","malware_printable","confidence_level","expires"
"2024-04-18 15:45:01", "1258989", "198.51.100.7:443", "ip:port", "botnet_cc", "Cobalt Strike", "75", "2024-05-18"
"2024-04-18 15:45:02", "1258990", "bad.example.net", "domain", "payload_delivery", "", "101", ""
"2024-04-18 15:45:03", "1258991", "other.example.net", "md5_hash", "payload", "", "", "soon"
# Number of entries: 3
"""

TOR = json.dumps(
    {
        "version": "8.0",
        "relays": [
            {"or_addresses": ["198.51.100.1:9001", "[2001:db8::1]:9001"], "flags": ["Guard", "Running"]},
            {"or_addresses": ["198.51.100.2:443"], "exit_addresses": ["203.0.113.2"], "flags": ["Exit"]},
            {"or_addresses": ["198.51.100.3:443"], "flags": ["Authority"]},
            {"or_addresses": ["198.51.100.4:443"], "flags": []},
            {"or_addresses": ["10.0.0.4:443"], "flags": ["Exit"]},
        ],
        "bridges": [],
    }
)


@pytest.mark.parametrize(
    ("format_", "text", "listed", "skipped"),
    [
        ("TXT", TXT, {"198.51.100.7", "203.0.113.0/24", "bad.example.net"}, 0),
        ("STIX", STIX, {"198.51.100.5-198.51.100.10", "203.0.113.0/24", "192.0.2.9", "bad.example.net"}, 1),
        ("OTX_CSV", OTX_CSV, {"203.0.113.0/24", "198.51.100.6", "bad.example.net"}, 2),
        ("ALIEN_VAULT", ALIEN_VAULT, {"198.51.100.4", "203.0.113.11"}, 0),
        ("PROOF_POINT", PROOF_POINT, {"198.51.100.4", "203.0.113.11"}, 0),
        ("PROOF_POINT", PROOF_POINT.replace("ip,", "domain,").replace("198.51.100.4", "bad.example.net"),
         {"bad.example.net", "203.0.113.11"}, 0),
        ("FIRE_EYE", FIRE_EYE, {"198.51.100.6", "203.0.113.0/24", "bad.example.net"}, 1),
    ],
)  # fmt: skip
class TestSixFormats:
    def test_addresses_blocks_and_domains_are_taken(self, format_, text, listed, skipped):
        entries = parse(text.encode(), format_, "any")
        assert (written(entries), entries.skipped) == (listed, skipped)

    def test_case_of_the_name_line_ends_byte_order_mark_and_packing_do_not_matter(self, format_, text, listed, skipped):
        windows = text.replace("\n", "\r\n").encode("utf-8-sig")
        assert written(parse(windows, format_.lower(), "any")) == listed
        assert written(parse(text.encode("utf-16"), format_, "any")) == listed

    def test_the_format_is_told_from_the_content(self, format_, text, listed, skipped):
        assert sniff(text.encode(), "list") == format_
        assert sniff(text.replace("\n", "\r\n").encode("utf-8-sig"), "list.txt") == format_

    def test_only_what_is_wanted_is_taken(self, format_, text, listed, skipped):
        domains = {one for one in listed if one.endswith(".net")}
        assert written(parse(text.encode(), format_, "ip")) == listed - domains
        if domains:
            assert written(parse(text.encode(), format_, "domain")) == domains


def test_a_hosts_file_gives_all_names_but_the_machines_own():
    entries = parse(HOSTS.encode(), "hosts", "domain")
    assert written(entries) == {"bad.example.net", "worse.example.net", "worst.example.net"}
    assert entries.skipped_lines == (2, 3, 7)


def test_ipsum_gives_more_confidence_the_more_lists_have_an_address():
    text = b"# IPsum\n198.51.100.1\t1\n198.51.100.3\t3\n198.51.100.12\t12\n198.51.100.9\n"
    entries = parse(text, "ipsum", "ip", min_lists=3)
    assert entries.v4["confidence"].to_list() == [30, 100]
    assert written(entries) == {"198.51.100.3", "198.51.100.12"}
    assert (entries.skipped, entries.skipped_lines) == (1, (5,))


def test_a_csv_list_gives_threat_category_confidence_and_expiry_by_the_names_in_its_header():
    columns = Columns(
        indicator="IOC_value",
        kind="ioc_type",
        category="threat_type",
        threat_name="malware_printable",
        confidence="confidence_level",
        expires="expires",
    )
    entries = parse(THREATFOX.encode(), "csv", "any", columns=columns, categories={"Botnet_CC": "c2"})
    assert entries.v4.select("threat_name", "category", "confidence", "expires").row(0) == (
        "Cobalt Strike", "c2", 75, datetime(2024, 5, 18, tzinfo=UTC),
    )  # fmt: skip
    assert entries.domains.row(0) == ("bad.example.net", None, None, None, None)
    assert entries.skipped_lines == (8,)


def test_without_a_column_of_categories_the_threats_name_decides():
    text = b"indicator,family\n198.51.100.1,miner_x\n198.51.100.2,other\n"
    columns = Columns(indicator="indicator", threat_name="family")
    entries = parse(text, "csv", "ip", columns=columns, categories={"miner_x": "crypto"})
    assert entries.v4.select("threat_name", "category").rows() == [("miner_x", "crypto"), ("other", None)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ", "])
def test_a_csv_list_without_a_header_has_its_columns_by_number(delimiter):
    text = "\n".join(delimiter.join((f'"{n}"', f'"198.51.100.{n}"', "x")) for n in range(3))
    assert written(parse(text.encode(), "csv", "ip", columns=Columns(indicator=2))) == {
        f"198.51.100.{n}" for n in range(3)
    }


def test_a_quote_that_is_not_closed_costs_its_own_line_at_most():
    text = b'ip,note\n198.51.100.1,"never closed\n198.51.100.2,fine\n"198.51.100.3,gone\n198.51.100.4,"x"\n'
    entries = parse(text, "csv", "ip", columns=Columns(indicator="ip"))
    assert written(entries) == {"198.51.100.1", "198.51.100.2", "198.51.100.4"}
    assert entries.skipped_lines == (4,)


def test_a_relay_is_an_entry_or_an_exit_by_its_flags():
    entries = parse(TOR.encode(), "onionoo", "ip")
    found = {
        category: {range_text(first, first) for first in frame["first"]}
        for (category,), frame in entries.v4.group_by("category")
    }
    relays = {f"198.51.100.{number}" for number in range(1, 5)}
    assert found == {
        "tor-relay": relays,
        "tor-entry": {"198.51.100.1", "198.51.100.3"},
        "tor-exit": {"198.51.100.2", "203.0.113.2"},
    }
    assert entries.v6["category"].to_list() == ["tor-relay", "tor-entry"]
    assert entries.skipped_lines == (5,)


def test_there_is_a_reader_for_every_format():
    for format_ in FORMATS:
        with pytest.raises(ValueError, match=r"no |is not"):
            parse(b"", format_, "any")


def test_an_unknown_format_is_named_with_those_there_are():
    with pytest.raises(ValueError, match="no format 'YARA'; there are TXT, STIX"):
        parse(TXT.encode(), "YARA", "any")


@pytest.mark.parametrize(
    ("format_", "content", "reason"),
    [
        ("STIX", STIX[:900].encode(), r"is not well-formed XML: line \d+"),
        ("STIX", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "declares a document type"),
        ("onionoo", b'{"relays": 1}', "is not a details document"),
        ("FIRE_EYE", b"reportId,title\n1,x\n", "no header names the columns ip, cidr, domain"),
        ("csv", b"a,b\n198.51.100.1,x\n", "no header names the columns address"),
        ("ipsum", b"198.51.100.1\tmany\n10.0.0.1\t3\n", "no public address or network in it; skipped lines 1, 2$"),
        ("plain", b"10.0.0.1\n", "in it; skipped line 1$"),
        ("plain", b"10.0.0.1\n" * 100, "in it; skipped lines 1, 2, .* and others, 100 in all$"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(format_, content, reason):
    columns = Columns(indicator="address")
    with pytest.raises(ValueError, match=reason):
        parse(content, format_, "ip", columns=columns)


def test_entries_have_the_columns_of_a_store():
    entries = parse(OTX_CSV.encode(), "OTX_CSV", "any")
    assert entries.v4.columns == ["first", "last", "threat_name", "confidence", "expires", "category"]
    assert entries.v4.schema["first"] == pl.UInt32
