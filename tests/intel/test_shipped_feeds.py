"""The feeds file that comes with guardray reads what its publishers write, and says what it does not cover."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from intel.written import written

from guardray.intel.categories import CATEGORIES
from guardray.intel.feeds import Feed, read_feeds

SHIPPED = Path(__file__).parents[2] / "configs" / "intel.yaml"

THREATFOX = """################################################################
# ThreatFox IOCs: CSV format                                   #
################################################################
#
# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","malware_printable","confidence_level","tags"
"2024-04-18 15:45:01", "1258989", "198.51.100.7:443", "ip:port", "botnet_cc", "X", "75", "one,two"
# Number of entries: 1
"""

SAMPLES = {
    "Tor relays": '{"relays": [{"or_addresses": ["198.51.100.7:443"], "flags": ["Guard"]}]}',
    "ThreatFox addresses": THREATFOX,
    "ThreatFox domains": THREATFOX.replace("198.51.100.7:443", "bad.example").replace("ip:port", "domain"),
    "Feodo Tracker": """# Feodo Tracker
"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"
"2024-01-17 20:31:28","198.51.100.7","443","online","2024-04-19","X"
# END 1 entries
""",
    "Blackbook": "Domain,Malware,Date added,Source\nbad.example,x,2024-09-01,y\n",
    "URLhaus hosts": "# URLhaus\n127.0.0.1\tbad.example\n127.0.0.1\tgithub.com\n",
    "Phishing.Database": "bad.example\nx.cloudfront.net\n",
    "IPsum": "# IPsum\n198.51.100.7\t9\n198.51.100.8\t4\n",
    "IPsum scanners": "# IPsum\n198.51.100.7\t3\n198.51.100.8\t2\n",
    "Maltrail mining pools": "# Reference: x\n\n198.51.100.7:3333\n172.65.200.133:3333\n/xmrig/\n",
    "Maltrail dynamic DNS": "# Reference: x\n\nbad.example\n",
}
"""One usable entry each, as the publisher writes it."""


@pytest.fixture
def feeds() -> dict[str, Feed]:
    return {feed.name: feed for feed in read_feeds(SHIPPED)}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_remote_feed_reads_what_its_publisher_writes(feeds, name):
    entries = feeds[name].parse(SAMPLES[name].encode())
    assert written(entries) in ({"198.51.100.7"}, {"bad.example"})


def test_every_remote_feed_has_a_sample_a_licence_and_a_time_to_refresh(feeds):
    remote = {name for name, feed in feeds.items() if not feed.is_local}
    assert remote == set(SAMPLES)
    assert all(feeds[name].license and feeds[name].refresh_s for name in remote)


def test_local_feeds_have_nothing_to_skip(feeds):
    for feed in feeds.values():
        if feed.is_local:
            assert feed.parse(feed.path(SHIPPED).read_bytes()).skipped == 0


def test_a_botnets_server_is_told_from_other_malware(feeds):
    entries = feeds["ThreatFox addresses"].parse(SAMPLES["ThreatFox addresses"].encode())
    assert entries.v4.select("threat_name", "category", "confidence").row(0) == ("X", "c2", 75)


def test_what_no_list_covers_is_said(feeds):
    covered = {feed.category for feed in feeds.values()} | {"tor-exit", "tor-entry", "custom", "trusted"}
    said = re.search(r"# Not covered by any list here.*?: (.*?)\.\n", SHIPPED.read_text(), re.DOTALL)
    assert set(re.findall(r"[a-z][a-z-]+", said[1])) == set(CATEGORIES) - covered
