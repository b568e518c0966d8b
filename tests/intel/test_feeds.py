"""Threat lists are read as people write them, and what cannot be used is counted or refused."""

from __future__ import annotations

import gzip

import pytest

from guardray.errors import UsageError
from guardray.intel.store import Indicator, IndicatorStore

BROKEN_DEFLATE = gzip.compress(b"198.51.100.7")[:10] + b"\xff" * 20
"""A sound header of gzip before what is no deflate stream."""

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

    store = IndicatorStore.load(None, [path])

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

    store = IndicatorStore.load(feeds, [])

    assert store.ip_indicators("203.0.113.7") == (Indicator("203.0.113.7", "c2", "Lab C2", "Log4j Related"),)
    assert store.domain_indicators("eu.pool.example") == (Indicator("pool.example", "crypto", "Pools"),)
    assert store.ip_indicators("203.0.113.9") == ()
    assert [(one.name, one.entries, one.skipped) for one in store.lists] == [("Lab C2", 1, 1), ("Pools", 1, 1)]


@pytest.mark.parametrize("url", ["https://lists.example/c2.txt", "http://lists.example/c2.txt", "s3://lists/c2.txt"])
def test_a_feed_that_would_need_a_download_is_refused(tmp_path, url):
    feeds = tmp_path / "intel.yaml"
    feeds.write_text(f"feeds: [{{name: Remote, url: '{url}', kind: ip, category: c2}}]")
    with pytest.raises(UsageError, match=r"intel.yaml: feed 'Remote' .*download it first"):
        IndicatorStore.load(feeds, [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("feeds: [{name: A, url: a.txt, kind: ip, category: nonsense}]", r"\$.feeds\[0\].category"),
        ("feeds: [{name: A, url: a.txt, kind: ip, category: c2, colour: red}]", "unknown field `colour`"),
        ("feeds: [{name: A, kind: ip, category: c2}]", "missing required field `url`"),
        ("lists: []", "unknown field `lists`"),
        ("feeds: [", "while parsing"),
        ("", "Expected `object`"),
    ],
)
def test_a_malformed_feeds_file_is_refused_with_the_place(tmp_path, text, reason):
    feeds = tmp_path / "intel.yaml"
    feeds.write_text(text)
    with pytest.raises(UsageError, match=reason) as caught:
        IndicatorStore.load(feeds, [])
    assert str(feeds) in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"# nothing yet\n", b"10.0.0.1\nlocalhost\n", b"\x1f\x8b broken gzip", BROKEN_DEFLATE, b"\xff\xfe\x00"],
)
def test_a_list_with_nothing_usable_is_refused_by_name(tmp_path, content):
    path = tmp_path / "empty.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"empty\.txt: "):
        IndicatorStore.load(None, [path])


def test_yaml_that_is_broken_is_one_line(tmp_path):
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text("feeds: [\n")
    with pytest.raises(UsageError, match=r"feeds\.yaml: while parsing .*line 2") as caught:
        IndicatorStore.load(feeds)
    assert "\n" not in str(caught.value)


def test_a_missing_list_is_refused_by_name(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.txt: cannot be read"):
        IndicatorStore.load(None, [tmp_path / "nowhere.txt"])
