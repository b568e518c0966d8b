"""`make load`: requests a second and latencies of the API of a real service, with one replica and with two."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from guardray.access.gate import Gate, utc_now
from guardray.access.identity import Role
from guardray.access.issue import Issued, issue, seal_for
from guardray.access.rate import Rate
from guardray.access.request import Request
from guardray.access.seal import Seal
from guardray.findings.identity import detector_id
from guardray.store.access_audit import AuditLog
from guardray.store.access_keys import AccessKeys
from guardray.store.database import Database
from guardray.store.findings import write_findings
from tests.api.attacking import REGION, Signer, wire_request
from tests.chaos.tree import Tree
from tests.finding_examples import one_of_each
from tests.load.asking import Question, ask

ACCOUNT = "111122223333"
KEYS = 60
"""Each has its rate, a hundred a second at each replica."""

_BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
_STEP = 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog="load", description=__doc__)
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--findings", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=4_000, help="of each kind")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--out", type=Path, default=Path("load.json"))
    options = parser.parse_args()
    rows = list(_measured(options))
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(rows)))
    return 1 if any(row.get("failed") for row in rows) else 0


def _measured(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for replicas in options.replicas:
        with tempfile.TemporaryDirectory(prefix="guardray-load-") as folder:
            tree = Tree(Path(folder), {"sources": []})
            tree.config["api"]["replicas"] = {"min": replicas, "max": replicas}
            (Path(folder) / "guardray.yaml").write_bytes(msgspec.yaml.encode(tree.config))
            data = Path(tree.config["data"])
            data.mkdir()
            database = Database(str(data / "findings.db"))
            keys = _filled(database, tree, options.findings)
            if replicas == options.replicas[0]:
                yield _told({"what": "signatures, in one process", **_signatures(database, tree, keys)})
            try:
                tree.start()
                tree.wait(lambda status: True, 600)
                time.sleep(5)
                yield from _asked(tree, keys, replicas, options)
            finally:
                tree.kill()
                database.close()


def _filled(database: Database, tree: Tree, findings: int) -> list[Issued]:
    """A store with findings, and keys to it."""
    examples = one_of_each()
    for begin in range(0, findings, _STEP):
        with database.writing() as connection:
            some = [
                replace(
                    examples[number % len(examples)],
                    id=f"{number:032x}",
                    account_id=ACCOUNT,
                    region=REGION,
                    created_at=_BEGIN + timedelta(seconds=number),
                )
                for number in range(begin, min(begin + _STEP, findings))
            ]
            write_findings(connection, some, _BEGIN)
    keys = AccessKeys(database)
    seal = seal_for(keys, Path(tree.config["data"]))
    wanted: dict[str, Any] = {"kind": "signing", "account_id": ACCOUNT, "role": Role.ADMIN, "regions": None}
    return [issue(keys, seal, **wanted, actor="load", now=utc_now()) for _ in range(KEYS)]


def _signatures(database: Database, tree: Tree, keys: list[Issued]) -> dict[str, Any]:
    """What checking a signature takes: of a small request, without HTTP."""
    store = AccessKeys(database)
    seal: Seal = seal_for(store, Path(tree.config["data"]))
    gate = Gate(store, AuditLog(database), seal, rate=Rate(per_s=1e9, burst=10**9))
    signer = Signer(keys[0].record.id, keys[0].secret, "127.0.0.1")
    bare = wire_request("ListDetectors", {})
    requests = []
    for number in range(5_000):
        sent = signer.signed(replace(bare, headers=(("X-Amz-Note", str(number)),)))
        headers = [(name.encode(), value.encode()) for name, value in sent.headers]
        requests.append(Request.of_wire(sent.method, sent.target.encode(), b"", headers, sent.body))
    begin = time.perf_counter()
    for request in requests:
        gate.admit(request, "ListDetectors")
    each = (time.perf_counter() - begin) / len(requests)
    return {"requests_per_s": round(1 / each), "us": round(each * 1e6, 1)}


def _asked(tree: Tree, keys: list[Issued], replicas: int, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    url = f"http://127.0.0.1:{tree.config['api']['port']}"
    netloc = url.removeprefix("http://")
    signers = [Signer(key.record.id, key.secret, netloc) for key in keys]
    _ = ask(url, signers, Question("CreateDetector", {"Enable": True}), connections=1, requests=2)
    of = {"DetectorId": detector_id(ACCOUNT, REGION)}
    criterion = {"severity": {"GreaterThanOrEqual": 4}, "service.archived": {"Eq": ["false"]}}
    questions = {
        "ListDetectors": Question("ListDetectors", {}),
        "ListFindings": Question("ListFindings", {**of, "FindingCriteria": {"Criterion": criterion}}),
        "GetFindings of 50": Question("GetFindings", {**of, "FindingIds": [f"{one:032x}" for one in range(50)]}),
    }
    for name, question in questions.items():
        ask(url, signers, question, connections=4, requests=200)  # until all is loaded and every replica is warm
        for connections in options.connections:
            found = ask(url, signers, question, connections=connections, requests=options.requests)
            yield _told(
                {
                    "what": name,
                    "replicas": replicas,
                    "connections": connections,
                    "requests_per_s": round(found.per_s, 1),
                    "p50_ms": round(found.quantile_ms(0.5), 2),
                    "p95_ms": round(found.quantile_ms(0.95), 2),
                    "failed": found.failed,
                }
            )


def _told(row: dict[str, Any]) -> dict[str, Any]:
    sys.stderr.write(f"{msgspec.json.encode(row).decode()}\n")
    return row


if __name__ == "__main__":
    sys.exit(main())
