"""What instances do on the internet beside what they did before: what findings say, and what is remembered."""

from __future__ import annotations

import random
from datetime import timedelta
from ipaddress import IPv4Address

import polars as pl
import pytest

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.shard import Shard
from guardray.detectors.activity import MOST_ROWS
from guardray.detectors.declare import on_earlier_days
from guardray.detectors.ec2 import (
    network_port_unusual,
    outbound,
    spambot,
    traffic_volume_unusual,
    unusual_resolvers,
)
from guardray.detectors.ec2.connections import UDP, flow
from guardray.findings.actions import NetworkConnection
from guardray.intel.store import IndicatorStore
from guardray.testing import START, findings_from, frame_of

PORT, VOLUME, SPAM = network_port_unusual.DETECTOR, traffic_volume_unusual.DETECTOR, spambot.DETECTOR
PLAIN, OVER_HTTPS, OVER_TLS = unusual_resolvers.DETECTORS
EVERY = (PORT, VOLUME, SPAM, PLAIN, OVER_HTTPS, OVER_TLS)

SESSION = {"tcp_flags": 3, "traffic_packets": 12, "traffic_bytes": 2400}
WEEK = on_earlier_days(7, flow(src_endpoint_port=50016, **SESSION))


def found(detector, rows, **known):
    return findings_from(detector, frame_of(detector.schema, rows), **known)


def to(port, target="203.0.113.9", **columns):
    return {**flow(target=target, dst_endpoint_port=port), **SESSION, **columns}


def test_an_unusual_port_is_named_with_both_ends():
    (finding,) = found(PORT, [*WEEK, to(4444)])
    assert finding.additional_info == {"unusual": {"port": 4444}}
    assert (finding.resource_role, finding.count) == ("ACTOR", 1)
    assert finding.resource.instance.instance_id == "i-0123456789abcdef0"
    assert finding.action == NetworkConnection(
        direction="OUTBOUND",
        protocol_num=6,
        local_ip="10.0.0.5",
        local_port=50000,
        remote_ip="203.0.113.9",
        remote_port=4444,
        interface_id="eni-0123456789abcdef0",
    )


def test_new_ports_of_a_day_are_one_finding_about_the_busiest():
    (finding,) = found(PORT, [*WEEK, to(4444), to(6667, traffic_bytes=90_000), to(1337)])
    assert finding.additional_info == {"unusual": {"port": 6667}}
    assert finding.description.endswith("Other ports that are new to it: 1337, 4444.")


def test_an_unusual_port_is_told_of_once():
    days = [to(4444, time=START + timedelta(days=day)) for day in range(3)]
    (finding,) = found(PORT, [*WEEK, *days])
    assert (finding.count, finding.event_last_seen < START + timedelta(days=1)) == (1, True)


def test_what_one_instance_does_is_not_usual_for_another():
    other = {
        "instance_uid": "i-other",
        "interface_uid": "eni-other",
        "src_endpoint_ip_v4": int(IPv4Address("10.0.0.6")),
    }
    mixed = [*WEEK, *({**row, **other} for row in WEEK), *({**row, **other} for row in on_earlier_days(3, to(4444)))]
    (finding,) = found(PORT, [*mixed, to(4444), to(4444, **other)])
    assert finding.resource.instance.instance_id == "i-0123456789abcdef0"


def test_an_interface_stands_for_an_instance_that_is_not_logged():
    rows = [{**row, "instance_uid": None} for row in (*WEEK, to(4444))]
    (finding,) = found(PORT, rows)
    assert finding.title == "eni-0123456789abcdef0 connects to the unusual server port 4444."


def test_hosts_without_interface_and_instance_learn_together():
    nobody = {"instance_uid": None, "interface_uid": None}
    other = {**nobody, "src_endpoint_ip_v4": int(IPv4Address("10.0.0.6"))}
    before = [{**row, **nobody} for row in (*WEEK, *on_earlier_days(2, to(4444)))]
    assert found(PORT, [*before, to(4444, **other)]) == []
    assert len(found(PORT, [*before, to(5555, **other)])) == 1


def test_a_service_of_ours_has_clients_on_all_ports():
    """Without flags, and with a port that is higher than the client's, the answer looks like a request."""
    answers = [
        to(port, src_endpoint_port=8443, tcp_flags=None, is_egress=None, traffic_packets=40)
        for port in range(1024, 8000, 9)
    ]
    assert found(PORT, [*WEEK, *answers]) == []


def test_a_vpn_server_has_clients_on_all_ports():
    answers = [
        to(port, src_endpoint_port=51820, protocol_num=UDP, tcp_flags=None, traffic_bytes=5_000_000)
        for port in range(1024, 30000, 99)
    ]
    assert found(PORT, [*WEEK, *answers]) == found(VOLUME, [*WEEK, *answers]) == []


def test_a_server_that_hardly_connects_is_known_after_a_week_and_a_few_days():
    """45 connections a day from random ports: one in 16 of them is looked at."""
    ports = random.Random(4)
    days = on_earlier_days(9, *(flow(src_endpoint_port=ports.randint(32768, 60999), **SESSION) for _ in range(45)))
    assert len(found(PORT, [*days, to(4444)])) == 1


def test_an_instance_that_only_works_inside_is_known_too():
    inside = on_earlier_days(7, flow(target="10.0.3.9", src_endpoint_port=5440 * 8, dst_endpoint_port=5432, **SESSION))
    assert len(found(PORT, [*inside, to(4444)])) == 1


def test_an_upload_is_told_with_what_was_usual():
    upload = to(443, src_endpoint_port=40001, traffic_packets=2_000_000, traffic_bytes=3_000_000_000)
    (finding,) = found(VOLUME, [*WEEK, upload])
    assert finding.additional_info == {
        "outBytes": 3_000_000_000,
        "packetsOut": 2_000_000,
        "totalBytesOut": 3_000_000_000,
        "averagePacketSizeOut": 1500,
    }
    assert "sent 3,000,000,000 bytes to 203.0.113.9:443" in finding.description.replace(
        "203.0.113.9 ", "203.0.113.9:443 "
    )
    assert "one of 7 earlier days was 2,400" in finding.description


@pytest.mark.parametrize(("greatest", "fires"), [(1.9e9, True), (2.1e9, False)])
def test_an_upload_must_be_twice_the_greatest_day(greatest, fires):
    day = on_earlier_days(7, to(443, "198.51.100.7", traffic_packets=9_000_000, traffic_bytes=int(greatest)))
    upload = to(443, traffic_packets=9_000_000, traffic_bytes=4_000_000_000)
    assert bool(found(VOLUME, [*day, upload])) == fires


def test_an_upload_must_stand_out_from_days_that_differ():
    """Days of 0.1, 0.5, 0.9, ... 2.5 GB: median 1.3, MAD 0.8, so that the limit is 1.3 + 6 * 1.4826 * 0.8 = 8.4 GB."""
    days = [
        {**to(443, "198.51.100.7", traffic_packets=9_000_000), "traffic_bytes": int(size * 1e9), "time": row["time"]}
        for size, row in zip((0.1, 0.5, 0.9, 1.3, 1.7, 2.1, 2.5), WEEK, strict=True)
    ]
    upload = to(443, traffic_packets=9_000_000)
    assert found(VOLUME, [*days, {**upload, "traffic_bytes": int(8.3e9)}]) == []
    assert len(found(VOLUME, [*days, {**upload, "traffic_bytes": int(8.5e9)}])) == 1


@pytest.mark.parametrize(("yesterday", "today", "fires"), [(1.5, 1.4, True), (2.5, 1.4, True), (0.9, 1.9, False)])
def test_pieces_of_an_archive_are_compared_with_the_days_before_the_first(yesterday, today, fires):
    """A gigabyte a day is usual, and the greatest of these days; two pieces must be more than that each."""
    many = {"traffic_packets": 9_000_000}
    days = on_earlier_days(10, to(443, "198.51.100.7", traffic_bytes=10**9, **many))[:9]
    pieces = [*on_earlier_days(1, to(443, traffic_bytes=int(yesterday * 1e9), **many))]
    findings = found(VOLUME, [*days, *pieces, to(443, traffic_bytes=int(today * 1e9), **many)])
    told = [one.description for one in findings if "It began to on 1 of the latest days" in one.description]
    assert bool(told) == fires
    assert all("the most to all hosts on a day before was 1,000,000,000." in text for text in told)


def test_spam_is_told_with_its_extent():
    (finding,) = found(SPAM, [*WEEK, *(to(25, f"203.0.113.{host}") for host in range(1, 31))])
    assert "connected to port 25 of at least 30 mail servers" in finding.description
    assert (finding.count, finding.action.remote_port) == (1, 25)


@pytest.mark.parametrize(("detector", "port", "protocol"), [(PLAIN, 53, UDP), (OVER_HTTPS, 443, 6), (OVER_TLS, 853, 6)])
def test_a_resolver_is_named_with_the_network_that_it_is_in(detector, port, protocol):
    asks = to(port, "8.8.8.8", protocol_num=protocol, traffic_packets=30, traffic_bytes=6000)
    (finding,) = found(
        detector,
        [*WEEK, asks],
        indicators=IndicatorStore.of({"8.8.8.8": "public-resolver"}),
        places={"8.8.8.8": ("US", 15169)},
    )
    assert finding.additional_info["unusual"]["port"] == port
    assert "google" in finding.additional_info["unusual"]["asnOrg"].lower()
    assert (finding.action.protocol_num, finding.action.remote_ip) == (protocol, "8.8.8.8")


def test_one_state_serves_all_six():
    assert {detector.activity.name for detector in EVERY} == {outbound.ACTIVITY.name}
    assert all(detector.learning == "before" for detector in EVERY)


def test_of_everyday_traffic_only_the_days_are_remembered():
    """A crawler meets thousands of hosts, none of which needs to be known again."""
    rows = on_earlier_days(
        2,
        *(flow(target=f"203.0.{n // 250}.{n % 250}", src_endpoint_port=40000 + 16 * n, **SESSION) for n in range(1000)),
    )
    ingest = Ingest([PORT], Surroundings(IndicatorStore()), lambda hashes, times: hashes == hashes)
    ingest.on_batch(PORT.schema, frame_of(PORT.schema, rows))
    shard = Shard([PORT])
    shard.merge(ingest.drain())
    shard.finish()
    sizes = {name.rpartition("/")[2]: table.num_rows for name, table in shard.snapshot().items() if "outbound" in name}
    assert (sizes["port"], sizes["server"], sizes["network"], sizes["to_host"], sizes["sent"]) == (0, 0, 0, 0, 1)


def test_logs_that_name_no_account_and_region_are_learned_from():
    rows = [
        {**row, "cloud_account_uid": None, "cloud_region": None}
        for row in (*WEEK, *(to(25, f"203.0.113.{n}") for n in range(1, 31)))
    ]
    assert len(found(SPAM, rows)) == 1
    assert len(found(PORT, [*rows[:7], {**to(4444), "cloud_account_uid": None, "cloud_region": None}])) == 1


def test_mail_of_two_instances_is_not_added_up():
    other = {
        "instance_uid": "i-other",
        "interface_uid": "eni-other",
        "src_endpoint_ip_v4": int(IPv4Address("10.0.0.6")),
    }
    week = [*WEEK, *({**row, **other} for row in WEEK)]
    mail = [to(25, f"203.0.113.{n}", **(other if n % 2 else {})) for n in range(1, 31)]
    assert found(SPAM, [*week, *mail]) == []


def test_mail_on_two_days_is_not_added_up():
    mail = [to(25, f"203.0.113.{n}", time=START + timedelta(days=n % 2, seconds=n)) for n in range(1, 31)]
    assert found(SPAM, [*WEEK, *mail]) == []


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_findings_do_not_depend_on_how_the_input_is_cut_or_ordered(cut):
    rows = [*WEEK, *(to(25, f"203.0.113.{n}") for n in range(1, 31)), to(4444), to(6667)]
    random.Random(cut).shuffle(rows)
    frame = frame_of(PORT.schema, rows)
    detectors = [PORT, SPAM]

    def sightings(size):
        ingest = Ingest(detectors, Surroundings(IndicatorStore()), lambda hashes, times: hashes == hashes)
        shard = Shard(detectors)
        for part in frame.iter_slices(size):
            ingest.on_batch(PORT.schema, part)
            shard.merge(ingest.drain())
        return [(one.key, one.count, one.latest.time, one.latest.row["remote_port"]) for one in shard.finish()]

    assert sightings(cut) == sightings(1000)
    assert len(sightings(cut)) == 2


def ingested(*frames):
    ingest = Ingest(EVERY, Surroundings(IndicatorStore()), lambda hashes, times: hashes == hashes)
    for frame in frames:
        ingest.on_batch(SPAM.schema, frame)
    return ingest


def test_an_instance_that_connects_to_all_the_world_does_not_fill_the_memory():
    targets, batch = 3 * MOST_ROWS, 5000
    shard, ingest = Shard(EVERY), ingested(frame_of(SPAM.schema, WEEK))
    mail = frame_of(SPAM.schema, [to(outbound.SMTP, time=START)] * batch)
    first = int(IPv4Address("20.0.0.0"))
    for begin in range(first, first + targets, batch):
        addresses = pl.int_range(begin, begin + batch, dtype=pl.UInt32, eager=True)
        ingest.on_batch(SPAM.schema, mail.with_columns(dst_endpoint_ip_v4=addresses))
        shard.merge(ingest.drain())
    (sighting,) = shard.finish()
    assert sighting.key.finding_type == SPAM.finding_type
    (problem,) = shard.problems
    assert f"{MOST_ROWS:,} were looked at" in str(problem)


def test_rows_of_one_instance_and_day_stay_bounded():
    targets = pl.int_range(0x14000000, 0x14000000 + 3 * MOST_ROWS, dtype=pl.UInt32, eager=True)
    mail = frame_of(SPAM.schema, [to(outbound.SMTP, time=START)] * len(targets))
    (rows,) = ingested(mail.with_columns(dst_endpoint_ip_v4=targets)).drain().activities[outbound.ACTIVITY.name]
    assert rows.height == MOST_ROWS + 1
    assert rows["packets"].sum() == 12 * len(targets)
    assert rows.estimated_size() < 300 * MOST_ROWS
