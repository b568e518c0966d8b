"""Clients that ask as fast as they are answered: processes with a few connections, whose requests are signed before."""

from __future__ import annotations

import multiprocessing
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from tests.api.attacking import Sent, Signer, Wire, wire_request

PROCESSES = 2
"""Of clients: one would be slower than what it asks."""


@dataclass(frozen=True)
class Question:
    """An operation and its parameters, asked over and over."""

    operation: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """What came of it.

    Attributes:
        latencies_s: of each request, sorted.
        took_s: from the first request to the last answer.
        failed: answers that were none, by status.
    """

    latencies_s: list[float] = field(repr=False)
    took_s: float
    failed: dict[int, int]

    @property
    def per_s(self) -> float:
        return len(self.latencies_s) / self.took_s

    def quantile_ms(self, share: float) -> float:
        return 1000 * self.latencies_s[min(int(share * len(self.latencies_s)), len(self.latencies_s) - 1)]


def ask(url: str, signers: list[Signer], question: Question, *, connections: int, requests: int) -> Answered:
    """So many requests over so many connections, divided among processes."""
    share = requests // PROCESSES
    parts = [
        (url, signers[number::PROCESSES], question, max(connections // PROCESSES, 1), share)
        for number in range(PROCESSES)
    ]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        found = pool.starmap(_ask, parts)
    latencies = sorted(one for latency, _, _, _ in found for one in latency)
    failed: dict[int, int] = {}
    for _, failures, _, _ in found:
        for status, count in failures.items():
            failed[status] = failed.get(status, 0) + count
    took = max(end for *_, end in found) - min(begin for _, _, begin, _ in found)
    return Answered(latencies, took, failed)


def _ask(
    url: str, signers: list[Signer], question: Question, connections: int, requests: int
) -> tuple[list[float], dict[int, int], float, float]:
    bare = wire_request(question.operation, question.params)
    # A header of its own makes each signature another one: equal ones would be taken for replays after a moment.
    signed = [
        signers[number % len(signers)].signed(replace(bare, headers=(("X-Amz-Note", str(number)),)))
        for number in range(requests)
    ]
    latencies: list[float] = []
    failed: dict[int, int] = {}
    workers = [
        threading.Thread(target=_send, args=(Wire(url), signed[number::connections], latencies, failed))
        for number in range(connections)
    ]
    begin = time.time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return latencies, failed, begin, time.time()


def _send(wire: Wire, signed: list[Sent], latencies: list[float], failed: dict[int, int]) -> None:
    for one in signed:
        got = wire.send(one)
        latencies.append(got.took_s)
        if got.status != 200:
            failed[got.status] = failed.get(got.status, 0) + 1
    wire.close()
