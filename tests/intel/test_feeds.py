"""Threat lists are read as people write them, and what cannot be used is counted or refused."""

from __future__ import annotations

import gzip

import pytest
from indicators import store_of_files

from guardray.errors import UsageError
from guardray.intel.feeds import Feed, read_feeds
from guardray.intel.formats import Columns
from guardray.intel.store import Indicator

BROKEN_DEFLATE = gzip.compress(b"198.51.100.7", mtime=0)[:10] + b"\xff" * 20
"""A sound header of gzip before what is no deflate stream."""

FEED = "{name: A, url: a.txt, kind: ip, category: c2}"

LIST = """\ufeff# addresses and domains seen in the lab
203.0.113.7
203.0.113.129/25  # host bits are cleared
198.51.100.4#4#2#Malicious Host
BAD.example.
*.worse.example,category,2024-01-01

2001:db8::1
10.0.0.1
999.1.1.1
https://bad.example/login
203.0.113.0/33
com
"""


def test_a_custom_list_takes_addresses_networks_and_domains(tmp_path):
    path = tmp_path / "lab.txt"
    path.write_text(LIST.replace("\n", "\r\n"), encoding="utf-8")

    store = store_of_files(None, [path])

    assert store.ip_indicators("203.0.113.7") == (Indicator("203.0.113.7", "custom", "lab"),)
    assert store.ip_indicators("203.0.113.200") == (Indicator("203.0.113.128/25", "custom", "lab"),)
    assert store.ip_indicators("198.51.100.4") == (Indicator("198.51.100.4", "custom", "lab"),)
    assert store.domain_indicators("www.bad.example") == (Indicator("bad.example", "custom", "lab"),)
    assert store.domain_indicators("worse.example") == (Indicator("worse.example", "custom", "lab"),)
    assert store.ip_indicators("2001:db8::1") == (Indicator("2001:db8::1", "custom", "lab"),)
    (loaded,) = store.lists
    assert (loaded.entries, loaded.skipped) == (6, 5)


def test_a_feeds_file_names_lists_by_path_and_by_file_url(tmp_path):
    (tmp_path / "c2.txt").write_text("203.0.113.7\nnot.an.address.example\n")
    (tmp_path / "pools.gz").write_bytes(gzip.compress(b"pool.example\n203.0.113.9\n"))
    feeds = tmp_path / "intel.yaml"
    feeds.write_text(f"""
feeds:
  - {{name: Lab C2, url: c2.txt, format: plain, kind: ip, category: c2, threat_name: Log4j Related, license: MIT}}
  - {{name: Pools, url: "{(tmp_path / "pools.gz").as_uri()}", kind: domain, category: crypto, refresh: 1d}}
""")

    store = store_of_files(feeds, [])

    assert store.ip_indicators("203.0.113.7") == (Indicator("203.0.113.7", "c2", "Lab C2", "Log4j Related"),)
    assert store.domain_indicators("eu.pool.example") == (Indicator("pool.example", "crypto", "Pools"),)
    assert store.ip_indicators("203.0.113.9") == ()
    assert [(one.name, one.entries, one.skipped) for one in store.lists] == [("Lab C2", 1, 1), ("Pools", 1, 1)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "feeds: [{name: A, url: a.txt, kind: ip, category: nonsense}]",
            r"there is no category 'nonsense'; there are c2, .* - at `\$.feeds\[0\]` \(A\)",
        ),
        (
            "feeds: [{name: A, url: a.txt, kind: ip, category: c2, colour: red}]",
            r"unknown field `colour` - at `\$.feeds\[0\]` \(A\)",
        ),
        ("feeds: [{name: A, kind: ip, category: c2}]", "missing required field `url`"),
        (f"feeds: [{FEED}, {FEED}]", r"'A' is the name of two feeds - at `\$.feeds\[1\].name`"),
        (f"feeds: [{{{FEED[1:-1]}, format: yara}}]", r"no format 'yara'.* - at `\$.feeds\[0\]`"),
        (f"feeds: [{{{FEED[1:-1]}, refresh: soon}}]", r"`refresh` is 'soon', not .* - at `\$.feeds\[0\]`"),
        (f"feeds: [{{{FEED[1:-1]}, refresh: 0h}}]", r">= 1 - at `\$.feeds\[0\].refresh`"),
        (f"feeds: [{{{FEED[1:-1]}, max_bytes: 0}}]", r">= 1 - at `\$.feeds\[0\].max_bytes`"),
        (f"feeds: [{{{FEED[1:-1]}, min_lists: 2}}]", "`min_lists` is of the format ipsum, not of plain"),
        (f"feeds: [{{{FEED[1:-1]}, columns: {{indicator: 2}}}}]", "`columns` is of the format csv, not of plain"),
        (f"feeds: [{{{FEED[1:-1]}, format: csv, columns: {{host: 2}}}}]", r"field `host` - at `\$.feeds\[0\].columns`"),
        (f"feeds: [{{{FEED[1:-1]}, format: csv, columns: {{indicator: 0}}}}]", r"columns are numbered from 1"),
        (
            f"feeds: [{{{FEED[1:-1]}, format: csv, categories: {{x: bad}}}}]",
            r"no category 'bad'.* - at `\$.feeds\[0\]`",
        ),
        (f"feeds: [{{{FEED[1:-1]}, except: [a b]}}]", "'a b' is no address, network, range or domain"),
        ("feeds: [{name: A, url: 'ftp://x.example/a', kind: ip, category: c2}]", r"`url` is 'ftp:.* file://, http://"),
        ("feeds: [{name: ' ', url: a.txt, kind: ip, category: c2}]", "`name` is empty"),
        ("feeds: [3]", r"`object`, got `int` - at `\$.feeds\[0\]`"),
        ("lists: []", "unknown field `lists`"),
        ("feeds: [", "while parsing"),
        ("", "Expected `object`"),
    ],
)
def test_a_malformed_feeds_file_is_refused_with_the_place(tmp_path, text, reason):
    feeds = tmp_path / "intel.yaml"
    feeds.write_text(text)
    with pytest.raises(UsageError, match=reason) as caught:
        store_of_files(feeds, [])
    assert str(feeds) in str(caught.value)


def test_all_that_can_be_said_of_a_feed_is_read(tmp_path):
    feeds = tmp_path / "intel.yaml"
    feeds.write_text("""
feeds:
  - name: Iocs
    url: https://lists.example/iocs.csv
    format: CSV
    kind: any
    category: malicious
    threat_name: Something
    license: CC0-1.0
    refresh: 12h
    columns: {indicator: ioc, threat_name: malware, confidence: 4}
    categories: {miner: crypto}
    allow_private_addresses: true
    max_bytes: 1000000
    except: [198.51.100.7, shared.example]
  - {name: Counts, url: s3://lists/ipsum.txt, format: ipsum, kind: ip, category: scanner, min_lists: 3, refresh: 900}
""")
    iocs, counts = read_feeds(feeds)
    assert iocs == Feed(
        name="Iocs",
        url="https://lists.example/iocs.csv",
        format="csv",
        kind="any",
        category="malicious",
        threat_name="Something",
        license="CC0-1.0",
        refresh_s=12 * 3600,
        columns=Columns(indicator="ioc", threat_name="malware", confidence=4),
        categories={"miner": "crypto"},
        allow_private_addresses=True,
        max_bytes=1_000_000,
        except_=("198.51.100.7", "shared.example"),
    )
    assert (counts.format, counts.min_lists, counts.refresh_s, counts.is_local) == ("ipsum", 3, 900, False)


@pytest.mark.parametrize(
    ("refresh", "seconds"), [("30m", 1800), ("1h", 3600), ("1d", 86400), ("2w", 1209600), ("90", 90), ("5 m", 300)]
)
def test_refresh_is_a_number_with_a_unit(tmp_path, refresh, seconds):
    feeds = tmp_path / "intel.yaml"
    feeds.write_text(f"feeds: [{{{FEED[1:-1]}, refresh: '{refresh}'}}]")
    assert read_feeds(feeds)[0].refresh_s == seconds


def test_a_local_feed_is_read_as_it_says(tmp_path):
    (tmp_path / "iocs.csv").write_text(
        "ioc,malware,kind\n198.51.100.7,Miner X,ip\n198.51.100.8,Bot,ip\n198.51.100.9,Bot,ip\n"
    )
    feeds = tmp_path / "intel.yaml"
    feeds.write_text("""
feeds:
  - name: Iocs
    url: iocs.csv
    format: csv
    kind: ip
    category: malicious
    columns: {indicator: ioc, threat_name: malware}
    categories: {miner x: crypto}
    except: [198.51.100.9]
""")
    store = store_of_files(feeds)
    assert store.ip_indicators("198.51.100.7") == (Indicator("198.51.100.7", "crypto", "Iocs", "Miner X"),)
    assert store.ip_indicators("198.51.100.8") == (Indicator("198.51.100.8", "malicious", "Iocs", "Bot"),)
    assert store.ip_indicators("198.51.100.9") == ()


def test_custom_and_trusted_lists_may_be_of_any_of_the_six_formats(tmp_path):
    threats, trusted = tmp_path / "pulse.csv", tmp_path / "office.txt"
    threats.write_text("Indicator type, Indicator, Description\nCIDR, 203.0.113.0/24, x\nDomain name, bad.example, x\n")
    trusted.write_text("203.0.113.7#4#2#Ours#KR##1,1#3\n")
    store = store_of_files(None, [threats], [trusted])
    assert store.domain_indicators("bad.example") == (Indicator("bad.example", "custom", "pulse"),)
    assert [one.category for one in store.ip_indicators("203.0.113.7")] == ["custom", "trusted"]


@pytest.mark.parametrize(
    "content",
    [b"", b"# nothing yet\n", b"10.0.0.1\nlocalhost\n", b"\x1f\x8b broken gzip", BROKEN_DEFLATE, b"\xff\xfe\x00"],
)
def test_a_list_with_nothing_usable_is_refused_by_name(tmp_path, content):
    path = tmp_path / "empty.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"empty\.txt: "):
        store_of_files(None, [path])


def test_yaml_that_is_broken_is_one_line(tmp_path):
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds: [\n")
    with pytest.raises(UsageError, match=r"feeds\.yaml: while parsing .*line 2") as caught:
        store_of_files(feeds)
    assert "\n" not in str(caught.value)


def test_a_missing_list_is_refused_by_name(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.txt: cannot be read"):
        store_of_files(None, [tmp_path / "nowhere.txt"])
