"""Everyday traffic of an account, an hour at a time."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from guardray.simulate.addresses import public_address, public_addresses
from guardray.simulate.flow.conversations import (
    CONVERSATION,
    SYN,
    UDP,
    between,
    choose,
    conversations,
    ephemeral_ports,
    private_addresses,
    tcp_exchange,
)
from guardray.simulate.period import HOUR, Period
from guardray.simulate.rhythm import MACHINES, VISITORS, is_weekend, local_hour, times
from guardray.simulate.world import Account

MONITORED_PORTS = (22, 443, 5432, 8080, 9100, 9115, 9187, 9256)
PROBED_PORTS = (22, 23, 80, 443, 445, 1433, 2323, 3306, 3389, 5060, 5432, 5555, 6379, 8080, 8443, 8728, 9200, 27017)
CHECK_EVERY_S = 600
RETURNING_VISITORS, SHARE_RETURNING = 1500, 0.6
GUESSES_PER_HOUR, GUESSES_BY_ONE = 1.5, 4  # SSH guessing at the edge host, always below what anyone would report
BACKUP_HOUR = 2
CLUSTER_PORTS = (8020, 8025, 8030, 9866)  # what nodes of a Hadoop cluster tell each other
CLUSTER_TALKS_PER_HOUR = 60


def background(account: Account, hour: Period) -> pl.DataFrame:
    """Conversations that begin in this hour."""
    rng = account.stream("flow", hour.start)
    parts = (_visits, _outbound, _checks, _probes, _guesses, _administration, _backup, _cluster)
    return pl.concat([CONVERSATION.to_frame(), *(part(account, hour, rng) for part in parts)])


def to_the_internet(account: Account, hour: Period) -> pl.DataFrame:
    """Of an hour, only what the account's own hosts ask of the internet: all that they are known by."""
    return pl.concat([CONVERSATION.to_frame(), _outbound(account, hour, account.stream("outbound", hour.start))])


def _visits(account: Account, hour: Period, rng: np.random.Generator) -> pl.DataFrame:
    """Visitors to the load balancer, which asks a web server, which asks a database."""
    at = times(rng, account.rates.visits_per_hour, hour, VISITORS, 0)
    n = len(at)
    balancers, webs = account.alive("balancer", hour.start), account.alive("web", hour.start)
    private = private_addresses(account)
    known = public_addresses(account.stream("visitors"), RETURNING_VISITORS)
    visitor = np.where(rng.random(n) < SHARE_RETURNING, rng.choice(known, n), public_addresses(rng, n))
    balancer, web = choose(rng, balancers, n), choose(rng, webs, n)
    took = rng.exponential(2.0, n)
    front = conversations(
        n,
        start=at,
        seconds=took,
        client=visitor,
        client_port=rng.integers(1024, 65535, n),
        server=private[balancer],
        server_port=np.where(rng.random(n) < 0.9, 443, 80),
        server_interface=balancer,
        **tcp_exchange(rng, n, request_bytes=1500, response_bytes=24000, spread=1.2),
    )
    back = conversations(
        n,
        start=at,
        seconds=took,
        client_port=ephemeral_ports(rng, n),
        server_port=8080,
        **between(account, balancer, web),
        **tcp_exchange(rng, n, request_bytes=1800, response_bytes=24000, spread=1.2),
    )
    asked = rng.random(n) < 0.4
    m = int(asked.sum())
    queries = conversations(
        m,
        start=at[asked],
        seconds=took[asked],
        client_port=ephemeral_ports(rng, m),
        server_port=5432,
        **between(account, web[asked], choose(rng, account.permanent("database"), m)),
        **tcp_exchange(rng, m, request_bytes=900, response_bytes=6000, spread=1.5),
    )
    return pl.concat([front, back, queries])


def _outbound(account: Account, hour: Period, rng: np.random.Generator) -> pl.DataFrame:
    """Private hosts call APIs of AWS and others through their network's NAT gateway; some traffic is QUIC and NTP."""
    parts = [CONVERSATION.to_frame()]
    private = private_addresses(account)
    services = public_addresses(account.stream("services elsewhere"), 400)
    for vpc in account.vpcs:
        hosts = [
            i
            for kind in ("web", "worker", "monitor", "windows")
            for i in account.alive(kind, hour.start)
            if account.interfaces[i].vpc == vpc.id
        ]
        nat = next(i for i in account.permanent("nat") if account.interfaces[i].vpc == vpc.id)
        at = times(rng, account.rates.outbound_per_host_hour * len(hosts), hour, MACHINES)
        n = len(at)
        if not n:
            continue
        host = choose(rng, hosts, n)
        shared = {
            "start": at,
            "seconds": rng.exponential(8.0, n),
            "server": services[_popular(rng, n, len(services))],
            "server_port": rng.choice([443, 443, 443, 443, 80, 8443], n),
            **tcp_exchange(rng, n, request_bytes=2500, response_bytes=9000, spread=1.4),
        }
        parts.append(
            conversations(n, client=private[host], client_interface=host, client_port=ephemeral_ports(rng, n), **shared)
        )
        parts.append(
            conversations(
                n, client=private[nat], client_interface=nat, client_port=rng.integers(1024, 65535, n), **shared
            )
        )
    return pl.concat([*parts, _datagrams(account, hour, rng)])


def _popular(rng: np.random.Generator, n: int, choices: int) -> NDArray[np.int64]:
    """Positions where a few are chosen most of the time."""
    return np.minimum((choices * rng.random(n) ** 3).astype(np.int64), choices - 1)


def _datagrams(account: Account, hour: Period, rng: np.random.Generator) -> pl.DataFrame:
    """Time from a public pool and QUIC downloads by the edge host."""
    edge = account.first("edge")
    at = times(rng, 12, hour)
    n = len(at)
    ntp = rng.random(n) < 0.5
    pool = public_addresses(account.stream("time servers"), 8)
    packets = np.where(ntp, 1, rng.integers(40, 900, n))
    return conversations(
        n,
        start=at,
        seconds=np.where(ntp, 0.0, rng.exponential(10.0, n)),
        client=account.interfaces[edge].private_ip,
        client_interface=edge,
        client_port=ephemeral_ports(rng, n),
        server=rng.choice(pool, n),
        server_port=np.where(ntp, 123, 443),
        protocol=UDP,
        packets_out=packets,
        bytes_out=packets * 76,
        packets_in=np.where(ntp, 1, packets * 3),
        bytes_in=np.where(ntp, 76, packets * 3 * 1250),
    )


def _checks(account: Account, hour: Period, rng: np.random.Generator) -> pl.DataFrame:
    """The monitoring host connects to every host on its ports; those that are closed answer with a reset."""
    monitor = account.first("monitor")
    vpc = account.interfaces[monitor].vpc
    targets = [
        i
        for kind in ("web", "worker", "database", "bastion", "edge", "windows")
        for i in account.alive(kind, hour.start)
        if account.interfaces[i].vpc == vpc
    ]
    rounds = np.arange(hour.start, hour.end, CHECK_EVERY_S)
    at, target, port = (grid.ravel() for grid in np.meshgrid(rounds, targets, MONITORED_PORTS, indexing="ij"))
    n = len(at)
    is_open = np.isin(port, (9100, 8080, 22)) | (rng.random(n) < 0.2)
    exchange = tcp_exchange(rng, n, request_bytes=220, response_bytes=4000)
    return conversations(
        n,
        start=at + rng.uniform(0, 40, n),
        seconds=np.where(is_open, 0.4, 0.0),
        client_port=ephemeral_ports(rng, n),
        server_port=port,
        **between(account, np.full(n, monitor), target.astype(np.int64)),
        packets_out=np.where(is_open, exchange["packets_out"], 1),
        bytes_out=np.where(is_open, exchange["bytes_out"], 60),
        packets_in=np.where(is_open, exchange["packets_in"], 1),
        bytes_in=np.where(is_open, exchange["bytes_in"], 40),
        flags_out=np.where(is_open, 3, SYN),
        flags_in=np.where(is_open, 19, 4),
    )


def _probes(account: Account, hour: Period, rng: np.random.Generator) -> pl.DataFrame:
    """Scanners of the internet at every public address; security groups refuse them."""
    return _refused(account, hour, rng, account.permanent("nat", "balancer", "bastion", "edge"))


def _refused(account: Account, hour: Period, rng: np.random.Generator, exposed: list[int]) -> pl.DataFrame:
    at = times(rng, account.rates.probes_per_address_hour * len(exposed), hour)
    n = len(at)
    target = choose(rng, exposed, n)
    scanners = public_addresses(account.stream("scanners", hour.start // (24 * HOUR)), 300)
    port = np.where(rng.random(n) < 0.6, rng.choice(PROBED_PORTS, n), rng.integers(1, 65535, n))
    port = np.where(np.isin(port, (22, 80, 443)), 2222, port)  # what is open is not refused
    packets = rng.integers(1, 3, n)
    return conversations(
        n,
        start=at,
        seconds=(packets - 1) * 1.0,
        client=np.where(rng.random(n) < 0.7, rng.choice(scanners, n), public_addresses(rng, n)),
        client_port=rng.integers(1024, 65535, n),
        server=private_addresses(account)[target],
        server_interface=target,
        server_port=port,
        packets_out=packets,
        bytes_out=packets * 44,
        flags_out=SYN,
        rejected=True,
    )


def _guesses(account: Account, hour: Period, rng: np.random.Generator) -> pl.DataFrame:
    """A few SSH passwords tried at the edge host by ever other addresses."""
    edge = account.first("edge")
    visits = times(rng, GUESSES_PER_HOUR, hour)
    tries = rng.integers(1, GUESSES_BY_ONE + 1, len(visits))
    at = np.repeat(visits, tries) + rng.uniform(0, 60, int(tries.sum()))
    n = len(at)
    return conversations(
        n,
        start=at,
        seconds=rng.uniform(1, 5, n),
        client=np.repeat(public_addresses(rng, len(visits)), tries),
        client_port=ephemeral_ports(rng, n),
        server=account.interfaces[edge].private_ip,
        server_interface=edge,
        server_port=22,
        **tcp_exchange(rng, n, request_bytes=1900, response_bytes=2300, spread=0.1),
    )


def _administration(account: Account, hour: Period, rng: np.random.Generator) -> pl.DataFrame:
    """In office hours people reach hosts by SSH over the bastion, and Windows hosts by RDP."""
    offset = account.people[0].utc_offset_h
    if is_weekend(hour.start, offset) or not 8 <= local_hour(hour.start, offset) < 19:
        return CONVERSATION.to_frame()
    bastion = account.first("bastion")
    at = times(rng, 3, hour)
    n = len(at)
    target = choose(rng, account.permanent("web", "worker", "windows"), n)
    same = np.array([account.interfaces[i].vpc == account.interfaces[bastion].vpc for i in target], dtype=bool)
    at, target = at[same], target[same]
    n = len(at)
    rdp = np.isin(target, account.permanent("windows"))
    took = rng.exponential(900.0, n)
    inner = conversations(
        n,
        start=at + 5,
        seconds=took,
        client_port=ephemeral_ports(rng, n),
        server_port=np.where(rdp, 3389, 22),
        **between(account, np.full(n, bastion), target),
        **tcp_exchange(rng, n, request_bytes=60000, response_bytes=400000, spread=1.0),
    )
    outer = conversations(
        n,
        start=at,
        seconds=took + 10,
        client=rng.choice(np.array(account.office_ips), n),
        client_port=ephemeral_ports(rng, n),
        server=account.interfaces[bastion].private_ip,
        server_interface=bastion,
        server_port=22,
        **tcp_exchange(rng, n, request_bytes=60000, response_bytes=400000, spread=1.0),
    )
    return pl.concat([inner, outer])


def _backup(account: Account, hour: Period, rng: np.random.Generator) -> pl.DataFrame:
    """At night a worker sends a large backup to storage outside."""
    if int(hour.start // HOUR) % 24 != BACKUP_HOUR:
        return CONVERSATION.to_frame()
    worker, n = account.first("worker"), 24
    return conversations(
        n,
        start=hour.start + rng.uniform(0, 1200, n),
        seconds=rng.uniform(60, 900, n),
        client=account.interfaces[worker].private_ip,
        client_interface=worker,
        client_port=ephemeral_ports(rng, n),
        server=public_address(account.stream("storage")),
        server_port=443,
        **tcp_exchange(rng, n, request_bytes=2e8, response_bytes=90000, spread=0.4),
    )


def _cluster(account: Account, hour: Period, rng: np.random.Generator) -> pl.DataFrame:
    """Nodes of the EMR cluster report to their primary node; all of them read from storage, and are probed in vain."""
    primary, nodes = account.first("cluster"), account.permanent("core")
    at = times(rng, CLUSTER_TALKS_PER_HOUR, hour)
    n = len(at)
    inside = conversations(
        n,
        start=at,
        seconds=rng.exponential(5.0, n),
        client_port=ephemeral_ports(rng, n),
        server_port=rng.choice(CLUSTER_PORTS, n),
        **between(account, choose(rng, nodes, n), np.full(n, primary)),
        **tcp_exchange(rng, n, request_bytes=5000, response_bytes=3000),
    )
    everyone = [primary, *nodes]
    reader = choose(rng, everyone, n)
    outside = conversations(
        n,
        start=at,
        seconds=rng.exponential(5.0, n),
        client=private_addresses(account)[reader],
        client_interface=reader,
        client_port=ephemeral_ports(rng, n),
        server=rng.choice(public_addresses(account.stream("storage of the cluster"), 4), n),
        server_port=443,
        **tcp_exchange(rng, n, request_bytes=3000, response_bytes=2e6, spread=0.6),
    )
    return pl.concat([inside, outside, _refused(account, hour, rng, everyone)])
