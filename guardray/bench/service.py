"""What a running service does: seconds from an object to its finding in the API, and requests that the API answers."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import msgspec
import numpy as np

from guardray.access.identity import Role
from guardray.access.issue import issue, seal_for
from guardray.bench.probes import is_seen, write_probe
from guardray.client import Client
from guardray.errors import BenchError
from guardray.simulate.rates import Rates
from guardray.simulate.run import simulate
from guardray.sources.aws_keys import key_facts
from guardray.store.access_keys import AccessKeys

SEED = 5
OBJECTS_PER_S = 2.0
SECONDS = 90.0
WARM_UP = 5
"""Probes that are not counted: caches fill, and compiled code is loaded."""

LOOK_S = 0.1
CALLERS, CALLING_S = 8, 10.0
START_S, STOP_S, PROBE_S = 300.0, 120.0, 60.0

ASKED = "/v1/findings?limit=10"


@dataclass(frozen=True)
class ServiceFigures:
    """One service on this machine.

    Attributes:
        objects_per_s: that were delivered beside, of a simulated account.
        findings: that were timed.
        p50_s, p95_s: from when an object was there to when the API showed its finding.
        requests_per_s: for the ten newest findings, that the API answered to `CALLERS` callers at once.
        ready_s: from nothing to ready.
    """

    objects_per_s: float
    findings: int
    p50_s: float
    p95_s: float
    requests_per_s: float
    ready_s: float


def measure_service(folder: Path, told: Callable[[str], None], seconds: float = SECONDS) -> ServiceFigures:
    """Takes some minutes.

    Args:
        folder: an empty one.
        told: hears what is being done.
        seconds: of steady load.

    Raises:
        BenchError: the service did not start, or a finding was not shown.
    """
    told("service: a simulated day")
    account = simulate(folder / "day", accounts=1, days=1, seed=SEED, rate=Rates.named("quiet")).accounts[0]
    watched = folder / "watched"
    watched.mkdir()
    told("service: starting it")
    with served(folder, watched) as service:
        token = _token(folder / "data", account)
        told("service: a steady load")
        client = Client(f"http://127.0.0.1:{service.port}", token)
        taken = _latencies(folder / "day", watched, account, client, seconds)
        told("service: requests")
        rate = _requests_per_s(service.port, token)
    p50, p95 = np.quantile(taken, [0.5, 0.95])
    return ServiceFigures(OBJECTS_PER_S, len(taken), float(p50), float(p95), rate, service.ready_s)


@dataclass(frozen=True)
class Served:
    """A service that runs.

    Attributes:
        port: of its API.
        ready_s: from nothing to ready.
        pid: of its first process.
    """

    port: int
    ready_s: float
    pid: int


@contextmanager
def served(folder: Path, watched: Path) -> Iterator[Served]:
    """A service for as long as the context lasts.

    Args:
        folder: of its data, its configuration and its log.
        watched: the folder that it reads.

    Raises:
        BenchError: it did not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config, log = folder / "guardray.yaml", folder / "serve.log"
    told = {"data": str(folder / "data"), "sources": [str(watched)], "api": {"port": port}}
    config.write_bytes(msgspec.yaml.encode(told))
    began = time.monotonic()
    command = [sys.executable, "-m", "guardray", "serve", "--config", str(config)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        _await_ready(port, process, log)
        yield Served(port, time.monotonic() - began, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _await_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(LOOK_S)
    raise BenchError("service", "start", log.read_text(errors="replace"))


def _token(data: Path, account: str) -> str:
    with AccessKeys.open(str(data / "findings.db")) as keys:
        made = issue(
            keys,
            seal_for(keys, data),
            kind="token",
            account_id=account,
            role=Role.READER,
            regions=None,
            actor="bench",
            now=datetime.now(UTC),
        )
    return made.secret


def _latencies(day: Path, watched: Path, account: str, client: Client, seconds: float) -> list[float]:
    """Seconds of each probe, one after another, while the day's objects are delivered."""
    files = (path for path in (day / "AWSLogs").rglob("*") if path.is_file())
    objects = sorted((at, path) for path in files if (at := key_facts(path.as_posix()).time))
    stopping = threading.Event()
    taken: list[float] = []
    latest = [objects[0][0]]

    def deliver() -> None:
        for at, path in objects:
            target = watched / path.relative_to(day)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
            latest[0] = at
            if stopping.wait(1 / OBJECTS_PER_S):
                return

    thread = threading.Thread(target=deliver, daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(taken) <= WARM_UP:
        taken.append(_probed(watched, account, latest[0], client))
    stopping.set()
    thread.join()
    return taken[WARM_UP:]


def _probed(watched: Path, account: str, at: datetime, client: Client) -> float:
    user, written = write_probe(watched, account, at)
    while (waited := time.monotonic() - written) < PROBE_S:
        if is_seen(client, user):
            return time.monotonic() - written
        time.sleep(LOOK_S)
    raise BenchError("service", "probe", f"no finding after {waited:.0f} s")


def _requests_per_s(port: int, token: str) -> float:
    """Of callers that ask again as soon as they have their answer, each on a connection of its own."""
    counts = [0] * CALLERS
    end = time.monotonic() + CALLING_S

    def call(index: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < end:
            connection.request("GET", ASKED, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            counts[index] += answer.status == http.HTTPStatus.OK
        connection.close()

    threads = [threading.Thread(target=call, args=(index,)) for index in range(CALLERS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began)
