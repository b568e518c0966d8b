"""On which nodes shards are put: as many on each as on the others, so that a node that dies takes the least with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

SHARD_BYTES = 1 << 20
"""Memory that a shard's process reserves. It asks for no core, since it works in the pauses of ingest workers, and a
node on which nothing is asked for counts as idle: the autoscaler would take it away under a shard. What state really
takes is bounded by its budget."""


@dataclass(frozen=True)
class Node:
    """A node that lives, with what the whole of it has."""

    id: str
    cpus: float


def nodes() -> list[Node]:
    """Those of the cluster that live, in an order that does not change."""
    known: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    alive = [Node(one["NodeID"], one["Resources"].get("CPU", 0.0)) for one in known if one["Alive"]]
    return sorted(alive, key=lambda node: node.id)


def placed(shards: int, on: Sequence[Node]) -> list[str | None]:
    """The node of each shard: in turn, those without cores left out, as a head that is kept free. None: any node."""
    working = [node for node in on if node.cpus > 0] or list(on)
    return [working[index % len(working)].id if working else None for index in range(shards)]


def options_of(node: str | None) -> dict[str, Any]:
    """How an actor is put on a node, or on another one where that is gone or full by then."""
    strategy = "SPREAD" if node is None else NodeAffinitySchedulingStrategy(node, soft=True)
    return {"scheduling_strategy": strategy, "memory": SHARD_BYTES}
