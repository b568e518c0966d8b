"""Attacks that flow logs show: scans, password guessing, floods, talks with listed hosts."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl

from guardray.simulate.addresses import public_address, public_addresses
from guardray.simulate.attacks.scene import Attack, Scene
from guardray.simulate.episodes import Episode
from guardray.simulate.flow.conversations import (
    IGMP,
    RST,
    SYN,
    TCP,
    UDP,
    between,
    conversations,
    ephemeral_ports,
    tcp_exchange,
)
from guardray.simulate.randomness import pick
from guardray.simulate.world import Kind

SCANNED_PORTS, SCAN_S = 1000, 15.0
SWEPT_HOSTS, SWEEP_S = 3000, 600.0
FLOOD_DATAGRAMS, FLOOD_S = 400_000, 60.0
FLOOD_PORTS = 64_000
KEYS_TRIED = 20 * 7 * 21  # rounds, users, keys
PASSWORDS = 7 * 256
YARN_PORT = 8088  # of an EMR cluster's resource manager


def scan_ports(scene: Scene) -> Episode:
    """A connect scan of the thousand usual ports of one private host of the same network."""
    rng, start = scene.rng, scene.moment(SCAN_S)
    attacker = scene.position("edge", "bastion")
    target = scene.neighbour(attacker, "web", "windows")
    n = SCANNED_PORTS
    is_open, refused = rng.random(n) < 0.005, rng.random(n) < 0.7
    answered = is_open | ~refused
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, SCAN_S, n)),
        seconds=0.0,
        client_port=ephemeral_ports(rng, n),
        server_port=1 + rng.permutation(10_000)[:n],
        **between(scene.account, np.full(n, attacker), np.full(n, target)),
        packets_out=np.where(is_open, 3, 1),
        bytes_out=np.where(is_open, 164, 60),
        flags_out=SYN,
        packets_in=np.where(answered, 1, 0),
        bytes_in=np.where(answered, 40, 0),
        flags_in=np.where(is_open, 18, np.where(answered, RST, 0)),
        rejected=~answered,
    )
    label = scene.of_host(attacker, start, start + SCAN_S, (scene.host(target).private_ip,))
    return Episode((label,), traffic=traffic)


def sweep_port(scene: Scene) -> Episode:
    """One port of thousands of public addresses; hardly any answers."""
    rng, start, n = scene.rng, scene.moment(SWEEP_S), SWEPT_HOSTS
    attacker = scene.position("edge", "bastion")
    targets, answered = public_addresses(rng, n), rng.random(n) < 0.02
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, SWEEP_S - 5, n)),
        seconds=np.where(answered, 0.0, 1.0),
        client=scene.host(attacker).private_ip,
        client_interface=attacker,
        client_port=ephemeral_ports(rng, n),
        server=targets,
        server_port=pick(rng, (23, 445, 6379, 5555)),
        packets_out=np.where(answered, 4, 2),
        bytes_out=np.where(answered, 220, 120),
        packets_in=np.where(answered, 3, 0),
        bytes_in=np.where(answered, 200, 0),
        flags_out=np.where(answered, 3, SYN),
        flags_in=np.where(answered, 19, 0),
    )
    return Episode((scene.of_host(attacker, start, start + SWEEP_S, (int(targets[-1]),)),), traffic=traffic)


def guess_inside(port: int, kinds: tuple[Kind, ...], attempts: int, seconds: float, scene: Scene) -> Episode:
    """One host of the account guesses credentials of another: the one acts, the other is the target."""
    rng, start = scene.rng, scene.moment(seconds)
    attacker = scene.position("edge", "bastion")
    target = scene.neighbour(attacker, *kinds)
    traffic = conversations(
        attempts,
        start=start + np.sort(rng.uniform(0, seconds - 5, attempts)),
        seconds=rng.uniform(0.5, 3, attempts),
        client_port=ephemeral_ports(rng, attempts),
        server_port=port,
        **between(scene.account, np.full(attempts, attacker), np.full(attempts, target)),
        **_guess(rng, attempts, port),
    )
    end = start + seconds
    actor, victim = scene.host(attacker).private_ip, scene.host(target).private_ip
    labels = (
        scene.of_host(attacker, start, end, (victim,), variant="as actor"),
        scene.of_host(target, start, end, (actor,), variant="as target"),
    )
    return Episode(labels, traffic=traffic)


def guess_from_outside(scene: Scene) -> Episode:
    """A stranger guesses SSH passwords of a public host."""
    rng, n, seconds = scene.rng, 900, 1500.0
    start, target = scene.moment(seconds), scene.position("edge")
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, seconds - 5, n)),
        seconds=rng.uniform(0.5, 3, n),
        client=scene.stranger,
        client_port=ephemeral_ports(rng, n),
        server=scene.host(target).private_ip,
        server_interface=target,
        server_port=22,
        **_guess(rng, n, 22),
    )
    return Episode((scene.of_host(target, start, start + seconds, (scene.stranger,)),), traffic=traffic)


def _guess(rng: np.random.Generator, n: int, port: int) -> dict[str, object]:
    """Volumes of failed log-ins, which differ little among each other."""
    request, response = {22: (1800, 2300), 3389: (2600, 2100), 5985: (2900, 2400)}[port]
    return tcp_exchange(rng, n, request_bytes=request, response_bytes=response, spread=0.06)


def flood(
    protocol: int, port: int, size: int, many_sockets: bool, acceptable: tuple[str, ...], scene: Scene
) -> Episode:
    """Packets to one public address as fast as they go; `size` is of a packet with its headers, in bytes."""
    rng, start = scene.rng, scene.moment(FLOOD_S)
    attacker, target = scene.position("edge", "bastion"), public_address(scene.rng)
    n = FLOOD_PORTS if many_sockets else 1
    packets = FLOOD_DATAGRAMS // n + (np.arange(n) < FLOOD_DATAGRAMS % n)
    portless = protocol not in (TCP, UDP)
    traffic = conversations(
        n,
        start=start + np.sort(rng.uniform(0, 5, n)),
        seconds=FLOOD_S - 10,
        client=scene.host(attacker).private_ip,
        client_interface=attacker,
        client_port=0 if portless else 1024 + rng.permutation(FLOOD_PORTS)[:n],
        server=target,
        server_port=port,
        protocol=protocol,
        packets_out=packets,
        bytes_out=packets * size,
        flags_out=SYN if protocol == TCP else 0,
    )
    label = scene.of_host(attacker, start, start + FLOOD_S, (target,), acceptable=acceptable)
    return Episode((label,), traffic=traffic)


def beacon(category: str, port: int, scene: Scene) -> Episode:
    """Small exchanges with a listed host every few minutes."""
    rng, every, n = scene.rng, 240.0, 10
    start, host = scene.moment(n * every), scene.position("edge", "bastion")
    server = pick(rng, scene.indicators.addresses[category])
    traffic = conversations(
        n,
        start=start + np.arange(n) * every + rng.uniform(0, 20, n),
        seconds=rng.uniform(0.5, 4, n),
        client=scene.host(host).private_ip,
        client_interface=host,
        client_port=ephemeral_ports(rng, n),
        server=server,
        server_port=port,
        **tcp_exchange(rng, n, request_bytes=700, response_bytes=900, spread=0.2),
    )
    return Episode((scene.of_host(host, start, start + n * every, (server,)),), traffic=traffic)


def call_listed_host(scene: Scene) -> Episode:
    """Attempts to reach an address on the custom list where nothing listens."""
    rng, n = scene.rng, 3
    start, host = scene.moment(60), scene.position("edge", "bastion")
    server = pick(rng, scene.indicators.addresses["custom"])
    traffic = conversations(
        n,
        start=start + 15.0 * np.arange(n),
        seconds=0.0,
        client=scene.host(host).private_ip,
        client_interface=host,
        client_port=ephemeral_ports(rng, n),
        server=server,
        server_port=8009,
        packets_out=1,
        bytes_out=60,
        flags_out=SYN,
    )
    return Episode((scene.of_host(host, start, start + 60, (server,)),), traffic=traffic)


def listed_host_calls(
    category: str, port: int, scene: Scene, kind: Kind = "edge", collateral: tuple[str, ...] = ()
) -> Episode:
    """Sessions that an address on a list opens with a public host."""
    rng, n = scene.rng, 6
    start, host = scene.moment(600), scene.position(kind)
    client = pick(rng, scene.indicators.addresses[category])
    traffic = conversations(
        n,
        start=start + 90.0 * np.arange(n),
        seconds=5.0,
        client=client,
        client_port=ephemeral_ports(rng, n),
        server=scene.host(host).private_ip,
        server_interface=host,
        server_port=port,
        **tcp_exchange(rng, n, request_bytes=1200, response_bytes=15000),
    )
    label = scene.of_host(host, start, start + 600, (client,), collateral=collateral)
    return Episode((label,), traffic=traffic)


def relay(scene: Scene) -> Episode:
    """A host passes Tor traffic on: relays connect to it, and it connects to others."""
    rng, seconds = scene.rng, 1200.0
    start, host = scene.moment(seconds), scene.position("edge")
    own, relays = scene.host(host).private_ip, np.array(scene.indicators.addresses["tor-relay"])
    asking, asked = np.split(relays, 2)
    n = len(asked)
    common = {
        "start": start + np.sort(rng.uniform(0, 600, n)),
        "seconds": 300.0,
        "client_port": ephemeral_ports(rng, n),
        "server_port": 9001,
    }
    volumes = tcp_exchange(rng, n, request_bytes=60_000, response_bytes=60_000)
    inbound = conversations(n, client=asking, server=own, server_interface=host, **common, **volumes)
    outbound = conversations(n, client=own, client_interface=host, server=asked, **common, **volumes)
    label = scene.of_host(
        host, start, start + seconds, tuple(map(int, relays)), collateral=("UnauthorizedAccess:EC2/TorClient",)
    )
    return Episode((label,), traffic=pl.concat([inbound, outbound]))


_DOS = "Backdoor:EC2/DenialOfService."
_EITHER_UDP = (f"{_DOS}Udp", f"{_DOS}UdpOnTcpPorts")
_LISTED = "UnauthorizedAccess:EC2/MaliciousIPCaller.Custom"
_PROBE = "Recon:EC2/PortProbeUnprotectedPort"
_SSH = "UnauthorizedAccess:EC2/SSHBruteForce"

ATTACKS = (
    Attack("Recon:EC2/Portscan", "a thousand ports of a neighbour", "T1046", scan_ports),
    Attack("Impact:EC2/PortSweep", "one port of the internet", "T1046", sweep_port),
    Attack(_SSH, "keys are tried inside", "T1110", partial(guess_inside, 22, ("web", "worker"), KEYS_TRIED, 1200.0)),
    Attack(_SSH, "passwords are tried from outside", "T1110", guess_from_outside),
    Attack(
        "UnauthorizedAccess:EC2/RDPBruteForce",
        "passwords are tried",
        "T1110",
        partial(guess_inside, 3389, ("windows",), PASSWORDS, 900.0),
    ),
    Attack(
        "Impact:EC2/WinRMBruteForce",
        "passwords are tried",
        "T1110",
        partial(guess_inside, 5985, ("windows",), PASSWORDS, 900.0),
    ),
    Attack(f"{_DOS}Dns", "datagrams to a resolver", "T1498", partial(flood, UDP, 53, 92, True, ())),
    Attack(f"{_DOS}Udp", "datagrams to port 80", "T1498", partial(flood, UDP, 80, 284, False, _EITHER_UDP)),
    Attack(f"{_DOS}Udp", "datagrams to a game server", "T1498", partial(flood, UDP, 27015, 540, True, ())),
    Attack(f"{_DOS}UdpOnTcpPorts", "datagrams to port 25", "T1498", partial(flood, UDP, 25, 540, False, _EITHER_UDP)),
    Attack(f"{_DOS}Tcp", "half-open connections", "T1499", partial(flood, TCP, 443, 60, True, ())),
    Attack(f"{_DOS}UnusualProtocol", "IGMP to one address", "T1498", partial(flood, IGMP, 0, 60, False, ())),
    Attack("Backdoor:EC2/C&CActivity.B", "a host calls home", "T1071", partial(beacon, "c2", 443)),
    Attack("CryptoCurrency:EC2/BitcoinTool.B", "a host mines", "T1496", partial(beacon, "crypto", 3333)),
    Attack("Trojan:EC2/BlackholeTraffic", "a host calls a black hole", "T1071", partial(beacon, "blackhole", 443)),
    Attack("Trojan:EC2/DropPoint", "a host delivers what it took", "T1041", partial(beacon, "droppoint", 443)),
    Attack("UnauthorizedAccess:EC2/TorClient", "a host enters Tor", "T1090.003", partial(beacon, "tor-entry", 9001)),
    Attack("UnauthorizedAccess:EC2/TorRelay", "a host is a relay", "T1090.003", relay),
    Attack(_PROBE, "a scanner is answered", "T1595", partial(listed_host_calls, "scanner", 80)),
    Attack(
        "Recon:EC2/PortProbeEMRUnprotectedPort",
        "a scanner is answered by a cluster",
        "T1595",
        partial(listed_host_calls, "scanner", YARN_PORT, kind="cluster", collateral=(_PROBE,)),
    ),
    Attack(_LISTED, "a host calls a listed address", "T1071", call_listed_host),
    Attack(_LISTED, "a listed address calls a host", "T1071", partial(listed_host_calls, "custom", 443)),
)
