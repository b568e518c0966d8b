"""`make soak`: feeds a real service, samples it, writes soak.json and a picture; fails when memory or queues grow."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil

from guardray.access.identity import Role
from guardray.access.issue import issue, seal_for
from guardray.client import Client
from guardray.simulate.rates import Rates
from guardray.simulate.run import simulate
from guardray.store.access_keys import AccessKeys
from tests.chaos.tree import Tree
from tests.soak.days import RATE, SEED, Days
from tests.soak.load import Load
from tests.soak.plot import draw
from tests.soak.probes import Probes
from tests.soak.verdict import Course, Sample, failures, growth

SAMPLE_S = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--objects-per-s", type=float, default=2.0)
    parser.add_argument("--out", type=Path, default=Path("soak.json"))
    parser.add_argument("--plot", type=Path, default=Path("soak.svg"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="guardray-soak-") as folder:
        course = soak(Path(folder), options.minutes * 60, options.objects_per_s)
    draw(course, options.plot)
    memory, backlog = growth(course.samples)
    told = {
        "minutes": options.minutes,
        "objects_per_s": options.objects_per_s,
        "mb_per_hour": memory,
        "backlog_per_minute": backlog,
        "p50_s": course.latency(0.5),
        "p95_s": course.latency(0.95),
        "failures": (found := failures(course)),
        **asdict(course),
    }
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(told)))
    for line in found or [_passed(told)]:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


def _passed(told: dict[str, Any]) -> str:
    return (
        f"passed: memory {told['mb_per_hour']:+.0f} MB an hour, findings in {told['p50_s']:.1f} s (p50) "
        f"and {told['p95_s']:.1f} s (p95)"
    )


def soak(folder: Path, seconds: float, objects_per_s: float) -> Course:
    """The course of a service under load for so long."""
    logs = folder / "watched"
    logs.mkdir()
    tree = Tree(folder / "service", {"sources": [str(logs)], "patience": {"idle": "1m"}, **_known(folder / "lists")})
    days = Days(folder / "days")
    load = Load(days, logs, objects_per_s)
    tree.start()
    try:
        tree.wait(lambda status: status["phase"] == "running")
        load.start()
        while not load.delivered:
            time.sleep(0.1)
        began, client = time.monotonic(), _client(folder, tree, load.account)
        probes = Probes(load, logs, client)
        probes.start()
        samples = []
        while (at := time.monotonic() - began) < seconds:
            samples.append(sample(client, tree, at))
            time.sleep(SAMPLE_S)
        problems = [one["text"] for one in client.status()["status"]["problems"]]
        probes.stop()
        load.stop()
        tree.stop()
        latencies = [(written - began, took) for written, took in probes.taken]
        return Course(samples=samples, latencies=latencies, lost=probes.lost, problems=problems)
    finally:
        tree.kill()


def _known(folder: Path) -> dict[str, Any]:
    """Lists and inventory of the simulated account, which its attacks need."""
    simulate(folder, accounts=1, days=1, seed=int(SEED), rate=Rates.named(RATE))
    lists = folder / "indicators"
    return {
        "intel": str(lists / "intel.yaml"),
        "threat_lists": [str(lists / "threat-list.txt")],
        "trusted_lists": [str(lists / "trusted-list.txt")],
        "inventory": [str(folder / "inventory.json")],
        "offline": True,
    }


def _client(folder: Path, tree: Tree, account: str) -> Client:
    """A reader of the account's findings."""
    with AccessKeys.open(tree.store) as keys:
        made = issue(
            keys,
            seal_for(keys, Path(tree.config["data"])),
            kind="token",
            account_id=account,
            role=Role.READER,
            regions=None,
            actor="soak",
            now=datetime.now(UTC),
        )
    return Client(f"http://127.0.0.1:{tree.config['api']['port']}", made.secret)


def sample(client: Client, tree: Tree, at_s: float) -> Sample:
    """How the service stands now."""
    status = client.status()["status"]
    sources, shards, counts = status["sources"], status["shards"], status["counts"]
    return Sample(
        at_s=at_s,
        pss_mb=memory_of(tree),
        backlog=sum(one["backlog"] for one in sources),
        oldest_s=max((one["oldest_s"] for one in sources if one["oldest_s"] is not None), default=None),
        pending=status["pending"],
        state_mb=sum(one["bytes"] or 0 for one in shards) / 1e6,
        rows=sum(one["rows"] for one in shards),
        objects=counts["objects"],
        findings=(counts["findings_created"], counts["findings_updated"]),
    )


def memory_of(tree: Tree) -> dict[str, float]:
    """MB by process, named by what it is and its id."""
    found = {}
    for process in tree.processes():
        try:
            found[f"{_name_of(process)} {process.pid}"] = process.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:  # it ended meanwhile
            continue
    return found


def _name_of(process: psutil.Process) -> str:
    """The program's, which is the script's where Python runs one."""
    words = [word.rsplit("/", 1)[-1] for word in process.cmdline() if not word.startswith("-")]
    named = [word for word in words if not word.startswith("python")]
    return named[0] if named else process.name()


if __name__ == "__main__":
    sys.exit(main())
