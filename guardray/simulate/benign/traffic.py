"""Traffic that is as it should be, though it is as loud as an attack."""

from __future__ import annotations

import numpy as np

from guardray.simulate.addresses import public_address, public_addresses
from guardray.simulate.benign.occasion import HardNegative, Occasion
from guardray.simulate.episodes import Episode
from guardray.simulate.flow.conversations import (
    SYN,
    UDP,
    between,
    conversations,
    ephemeral_ports,
    private_addresses,
    tcp_exchange,
)
from guardray.simulate.labels import Label
from guardray.simulate.randomness import pick

SCAN, SWEEP = "Recon:EC2/Portscan", "Impact:EC2/PortSweep"
SSH, RDP, WINRM = (
    "UnauthorizedAccess:EC2/SSHBruteForce",
    "UnauthorizedAccess:EC2/RDPBruteForce",
    "Impact:EC2/WinRMBruteForce",
)
DOS = "Backdoor:EC2/DenialOfService."
C2 = "Backdoor:EC2/C&CActivity.B"
PROBES = ("Recon:EC2/PortProbeEMRUnprotectedPort", "Recon:EC2/PortProbeUnprotectedPort")
CLUSTER_UIS = (8088, 18080, 19888)  # YARN, and the histories of Spark and of MapReduce


def monitoring(at: Occasion) -> Episode:
    """Checks of every host and port (part of everyday traffic)."""
    return Episode((_row(at, at.account.first("monitor"), at.piece.start, at.piece.end - 1),))


def address_translation(at: Occasion) -> Episode:
    """The NAT gateway talks to everyone for everyone (part of everyday traffic)."""
    return Episode((_row(at, at.account.first("nat"), at.piece.start, at.piece.end - 1),))


def internet_noise(at: Occasion) -> Episode:
    """Refused probes and a few SSH passwords tried by each of many (part of everyday traffic)."""
    return Episode((_row(at, at.account.first("edge"), at.piece.start, at.piece.end - 1),))


def _row(at: Occasion, position: int, start: float, end: float) -> Label:
    return at.label(start, end, entity=at.names_of(position))


def load_test(at: Occasion) -> Episode:
    """One of our hosts asks our own load balancer, by its public address, 25 times a second."""
    rng, n, took = at.rng, 15_000, 600.0
    start, tester, balancer = at.moment(took), at.position("edge"), at.position("balancer")
    shared = {
        "start": start + np.sort(rng.uniform(0, took - 5, n)),
        "seconds": rng.exponential(0.5, n),
        "client_port": ephemeral_ports(rng, n),
        "server_port": 443,
        **tcp_exchange(rng, n, request_bytes=900, response_bytes=9000),
    }
    own, other = at.host(tester), at.host(balancer)
    sent = conversations(n, client=own.private_ip, client_interface=tester, server=other.public_ip, **shared)
    received = conversations(n, client=own.public_ip, server=other.private_ip, server_interface=balancer, **shared)
    return Episode((_row(at, tester, start, start + took),), traffic=sent.vstack(received))


def tunnel(at: Occasion) -> Episode:
    """A VPN carries as many packets as a flood does, in both directions."""
    took = 1200.0
    start, host = at.moment(took), at.position("edge")
    traffic = conversations(
        1,
        start=start,
        seconds=took,
        client=at.host(host).private_ip,
        client_interface=host,
        client_port=51820,
        server=public_address(at.account.stream("tunnel")),
        server_port=51820,
        protocol=UDP,
        packets_out=420_000,
        bytes_out=420_000 * 460,
        packets_in=510_000,
        bytes_in=510_000 * 1100,
    )
    return Episode((_row(at, host, start, start + took),), traffic=traffic)


def resolver(at: Occasion) -> Episode:
    """A host forwards queries to a public resolver, which answers each."""
    rng, n, took = at.rng, 12_000, 3000.0
    start, host = at.moment(took), at.position("edge")
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, took, n)),
        seconds=0.0,
        client=at.host(host).private_ip,
        client_interface=host,
        client_port=rng.integers(1024, 65535, n),
        server=public_address(at.account.stream("resolver")),
        server_port=53,
        protocol=UDP,
        packets_out=1,
        bytes_out=rng.integers(60, 90, n),
        packets_in=1,
        bytes_in=rng.integers(90, 400, n),
    )
    return Episode((_row(at, host, start, start + took),), traffic=traffic)


def crawler(at: Occasion) -> Episode:
    """A crawler fetches a page from each of two thousand hosts; nearly all answer."""
    rng, n, took = at.rng, 2000, 3000.0
    start, host = at.moment(took), at.position("edge")
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, took, n)),
        seconds=rng.exponential(2.0, n),
        client=at.host(host).private_ip,
        client_interface=host,
        client_port=ephemeral_ports(rng, n),
        server=public_addresses(rng, n),
        server_port=443,
        **tcp_exchange(rng, n, request_bytes=1100, response_bytes=60_000, spread=1.2),
    )
    return Episode((_row(at, host, start, start + took),), traffic=traffic)


def passive_transfers(at: Occasion) -> Episode:
    """File transfers in passive mode use a new high port each."""
    rng, n, took = at.rng, 240, 1800.0
    start, client = at.moment(took), at.account.first("worker")
    server = at.neighbour(client, "windows")
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, took, n)),
        seconds=rng.exponential(5.0, n),
        client_port=ephemeral_ports(rng, n),
        server_port=49152 + rng.permutation(4000)[:n],
        **between(at.account, np.full(n, client), np.full(n, server)),
        **tcp_exchange(rng, n, request_bytes=400_000, response_bytes=900, spread=1.0),
    )
    return Episode((_row(at, client, start, start + took),), traffic=traffic)


def configuration_run(at: Occasion) -> Episode:
    """Ansible opens a dozen SSH sessions with every host, and WinRM sessions with Windows hosts."""
    rng, sessions, took = at.rng, 12, 900.0
    start, control = at.moment(took), at.account.first("monitor")
    near = [i for i in at.account.permanent("web", "worker", "windows") if at.host(i).vpc == at.host(control).vpc]
    target = np.repeat(np.array(near), sessions)
    n = len(target)
    windows = np.isin(target, at.account.permanent("windows"))
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, took - 60, n)),
        seconds=rng.uniform(2, 40, n),
        client_port=ephemeral_ports(rng, n),
        server_port=np.where(windows, 5985, 22),
        **between(at.account, np.full(n, control), target),
        **tcp_exchange(rng, n, request_bytes=25_000, response_bytes=40_000, spread=1.1),
    )
    return Episode((_row(at, control, start, start + took),), traffic=traffic)


def code_fetches(at: Occasion) -> Episode:
    """Builds fetch code by SSH from one public host, many times an hour."""
    rng, n, took = at.rng, 60, 3400.0
    start, host = at.moment(took), at.position("edge")
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, took, n)),
        seconds=rng.uniform(1, 12, n),
        client=at.host(host).private_ip,
        client_interface=host,
        client_port=ephemeral_ports(rng, n),
        server=public_address(at.account.stream("code host")),
        server_port=22,
        **tcp_exchange(rng, n, request_bytes=6000, response_bytes=300_000, spread=1.5),
    )
    return Episode((_row(at, host, start, start + took),), traffic=traffic)


def desktop_sessions(at: Occasion) -> Episode:
    """An administrator's remote desktop reconnects a few times."""
    rng, n, took = at.rng, 9, 3000.0
    start, bastion = at.moment(took), at.account.first("bastion")
    target = at.neighbour(bastion, "windows")
    traffic = conversations(
        n,
        start=start + np.arange(n) * 330.0,
        seconds=rng.uniform(60, 300, n),
        client_port=ephemeral_ports(rng, n),
        server_port=3389,
        **between(at.account, np.full(n, bastion), np.full(n, target)),
        **tcp_exchange(rng, n, request_bytes=200_000, response_bytes=3_000_000, spread=1.0),
    )
    return Episode((_row(at, target, start, start + took),), traffic=traffic)


def refused_command_host(at: Occasion) -> Episode:
    """A listed command-and-control host probes us and is refused: we never talk to it."""
    rng, n, took = at.rng, 14, 900.0
    start, host = at.moment(took), at.position("edge", "bastion")
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, took, n)),
        seconds=0.0,
        client=pick(rng, at.indicators.addresses["c2"]),
        client_port=rng.integers(1024, 65535, n),
        server=private_addresses(at.account)[host],
        server_interface=host,
        server_port=rng.choice((445, 3389, 5900, 8081), n),
        packets_out=1,
        bytes_out=44,
        flags_out=SYN,
        rejected=True,
    )
    return Episode((_row(at, host, start, start + took),), traffic=traffic)


def protected_cluster(at: Occasion) -> Episode:
    """The office looks at the pages of an EMR cluster; a listed scanner asks for the same ports and is refused."""
    rng, n, took = at.rng, 24, 1800.0
    start, host = at.moment(took), at.position("cluster")
    shared = {
        "start": start + np.sort(rng.uniform(0, took - 60, n)),
        "server": at.host(host).private_ip,
        "server_interface": host,
        "server_port": rng.choice(CLUSTER_UIS, n),
    }
    looks = conversations(
        n,
        seconds=rng.exponential(5.0, n),
        client=pick(rng, at.account.office_ips),
        client_port=ephemeral_ports(rng, n),
        **shared,
        **tcp_exchange(rng, n, request_bytes=2000, response_bytes=80_000),
    )
    refused = conversations(
        n,
        seconds=0.0,
        client=pick(rng, at.indicators.addresses["scanner"]),
        client_port=rng.integers(1024, 65535, n),
        packets_out=1,
        bytes_out=44,
        flags_out=SYN,
        rejected=True,
        **shared,
    )
    return Episode((_row(at, host, start, start + took),), traffic=looks.vstack(refused))


HARD_NEGATIVES = (
    HardNegative("monitoring", (SCAN, SWEEP), monitoring, daily=True),
    HardNegative("address translation", (SWEEP, f"{DOS}Tcp"), address_translation, daily=True),
    HardNegative("internet noise", (SSH, RDP), internet_noise, daily=True),
    HardNegative("load test", (f"{DOS}Tcp",), load_test, daily=True),
    HardNegative("VPN tunnel", (f"{DOS}Udp", f"{DOS}UdpOnTcpPorts"), tunnel, daily=True),
    HardNegative("DNS forwarding", (f"{DOS}Dns", f"{DOS}Udp"), resolver, daily=True),
    HardNegative("web crawler", (SWEEP,), crawler, daily=True),
    HardNegative("passive file transfers", (SCAN,), passive_transfers, daily=True),
    HardNegative("configuration run", (SSH, WINRM, SWEEP), configuration_run, daily=True),
    HardNegative("code fetches", (SSH,), code_fetches, daily=True),
    HardNegative("remote desktop", (RDP,), desktop_sessions, daily=True),
    HardNegative("refused command host", (C2,), refused_command_host, daily=True),
    HardNegative("protected cluster", PROBES, protected_cluster, daily=True),
)
