"""Rate rules on the scenarios of AWS's own tester, and on bursts that lie across the ends of windows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ec2_scenarios import (
    ATTACKER,
    VICTIM,
    both_interfaces,
    connect_scan,
    guesses,
    refusals,
)

from guardray.detectors.ec2 import brute_force, denial_of_service, port_sweep, portscan
from guardray.detectors.ec2.connections import UDP, flow
from guardray.findings.actions import NetworkConnection
from guardray.testing import START, findings_from, frame_of


def found(detector, rows):
    return findings_from(detector, frame_of(detector.schema, rows))


def test_a_scan_of_a_thousand_private_ports_is_the_scanners_finding():
    scan = both_interfaces(connect_scan(range(1, 1001)))

    (finding,) = found(portscan.DETECTOR, [*scan, *refusals(scan)])

    assert (finding.resource.instance.instance_id, finding.resource_role, finding.severity) == (
        "i-attacker",
        "ACTOR",
        5.0,
    )
    assert finding.action == NetworkConnection(
        direction="OUTBOUND",
        protocol_num=6,
        local_ip=ATTACKER,
        local_port=None,
        remote_ip=VICTIM,
        remote_port=1000,
        interface_id="eni-attacker",
    )


@pytest.mark.parametrize("flags_logged", [True, False])
def test_the_host_that_refuses_every_port_does_not_scan(flags_logged):
    scan = both_interfaces(connect_scan(range(1, 65536, 16)))
    rows = [*scan, *refusals(scan)]
    if not flags_logged:
        rows = [row | {"tcp_flags": None} for row in rows]
    assert [finding.resource.instance.instance_id for finding in found(portscan.DETECTOR, rows)] == ["i-attacker"]


@pytest.mark.parametrize("minutes_to_boundary", [0, 1, 4, 5, 9])
def test_a_scan_across_the_end_of_a_window_is_seen(minutes_to_boundary):
    # START is a full hour, a boundary of all windows; the scan takes 40 * 3 s = 2 minutes.
    shift = timedelta(minutes=-minutes_to_boundary, seconds=-60)
    rows = [row | {"time": row["time"] + shift} for row in connect_scan(range(20, 60), milliseconds=3000)]
    assert len(found(portscan.DETECTOR, rows)) == 1


def test_a_slow_scan_is_not_seen():
    assert found(portscan.DETECTOR, connect_scan(range(20, 120), milliseconds=60_000)) == []


def test_a_sweep_counts_answers_by_connection():
    probes = [flow(target=f"198.51.100.{host}", dst_endpoint_port=80) for host in range(1, 101)]
    download = flow(target="203.0.113.7", dst_endpoint_port=80, traffic_packets=90_000, traffic_bytes=4_700_000)
    assert len(found(port_sweep.DETECTOR, [*probes, download])) == 1


@pytest.mark.parametrize(
    ("detector", "port", "attempts", "seconds"),
    [
        pytest.param(brute_force.DETECTORS[0], 22, 20 * 7 * 21, 1200, id="crowbar on SSH"),
        pytest.param(brute_force.DETECTORS[1], 3389, 7 * 256, 900, id="hydra on RDP"),
        pytest.param(brute_force.DETECTORS[2], 5986, 7 * 256, 900, id="guesses on WinRM over TLS"),
    ],
)
def test_guessing_inside_is_a_finding_of_each_end(detector, port, attempts, seconds):
    findings = found(detector, both_interfaces(guesses(port, attempts, seconds)))

    by_instance = {finding.resource.instance.instance_id: finding for finding in findings}
    attacker, victim = by_instance.pop("i-attacker"), by_instance.pop("i-victim")
    assert not by_instance
    assert (attacker.severity, attacker.resource_role, attacker.action.direction) == (8.0, "ACTOR", "OUTBOUND")
    assert (victim.severity, victim.resource_role, victim.action.direction) == (2.0, "TARGET", "INBOUND")
    assert (attacker.action.local_ip, attacker.action.remote_ip, attacker.action.remote_port) == (
        ATTACKER,
        VICTIM,
        port,
    )
    assert (victim.action.local_ip, victim.action.local_port, victim.action.remote_ip) == (VICTIM, port, ATTACKER)


def floods_found(rows):
    detectors = denial_of_service.DETECTORS
    return {finding.type.rpartition(".")[2] for detector in detectors for finding in found(detector, rows)}


def datagrams(count, size, port, sockets):
    share = {"protocol_num": UDP, "tcp_flags": None, "dst_endpoint_port": port}
    packets = count // sockets
    return [
        flow(**share, src_endpoint_port=1_024 + i, traffic_packets=packets, traffic_bytes=packets * size)
        for i in range(sockets)
    ]


def test_small_datagrams_to_port_53_from_changing_ports_are_a_dns_flood():
    rows = datagrams(400_000, 92, 53, sockets=10_000)
    assert floods_found([row | {"time": START} for row in rows]) == {"Dns"}


def test_datagrams_to_port_80_from_one_socket_are_a_plain_udp_flood():
    assert floods_found(datagrams(400_000, 284, 80, sockets=1)) == {"Udp"}


def test_datagrams_to_port_22_are_a_flood_on_a_tcp_port():
    assert floods_found(datagrams(400_000, 284, 22, sockets=1)) == {"UdpOnTcpPorts"}


def test_an_unusual_protocol_is_named():
    rows = [flow(protocol_num=2, tcp_flags=None, traffic_packets=400_000, traffic_bytes=24_000_000)]
    (finding,) = found(denial_of_service.DETECTORS[4], rows)
    assert finding.additional_info == {"unusualProtocol": "IGMP"}
    assert (finding.action.local_ip, finding.action.remote_ip) == ("10.0.0.5", "198.51.100.7")


def test_a_flood_that_only_passes_a_gateway_is_the_senders():
    flood = datagrams(400_000, 284, 80, sockets=1)[0]
    assert floods_found([flood | {"is_egress": False}]) == set()
