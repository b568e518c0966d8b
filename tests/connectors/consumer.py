"""A reader of one source that dies at any of its steps: what the kill tests start again and again.

Arguments, as JSON: `url` and `options` of the source, `endpoint` of S3, the `checkpoint` file, a `seed`, how likely it
is to die at each step, and for how many seconds nothing has to arrive for it to end.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from guardray.connectors.opening import open_source
from guardray.connectors.source import ContinuousSource
from guardray.sources.fetching import open_object


class Consumer:
    """Reads objects, and keeps what it read and the position in one file that is replaced in one step."""

    def __init__(self, source: ContinuousSource, settings: dict[str, Any]) -> None:
        self._source = source
        self._endpoint = settings["endpoint"]
        self._checkpoint = Path(settings["checkpoint"])
        self._random = random.Random(settings["seed"])
        self._likely = settings["likely"]
        self._read: list[str] = []
        if self._checkpoint.exists():
            kept = json.loads(self._checkpoint.read_text())
            self._read = kept["read"]
            source.restore(kept["position"])

    def step(self) -> bool:
        """Poll, work, write the checkpoint, acknowledge; whether there was anything."""
        arrivals = self._source.poll(self._random.randint(1, 9))
        self._may_die()
        for arrival in arrivals:
            with open_object(arrival.object, self._endpoint) as file:
                self._read += file.read().decode().split()
            self._may_die()
        receipts = [arrival.receipt for arrival in arrivals]
        self._source.renew(receipts)
        self._write(self._source.position(receipts))
        self._may_die()
        self._source.acknowledge(receipts[: len(receipts) // 2])
        self._may_die()
        self._source.acknowledge(receipts[len(receipts) // 2 :])
        return bool(arrivals)

    def _write(self, position: dict[str, Any]) -> None:
        partial = self._checkpoint.with_suffix(".partial")
        partial.write_text(json.dumps({"read": self._read, "position": position}))
        self._may_die()
        partial.replace(self._checkpoint)

    def _may_die(self) -> None:
        if self._random.random() < self._likely:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    settings = json.loads(sys.argv[1])
    options = {
        name: timedelta(seconds=value) if name in ("visibility", "still") else value
        for name, value in settings["options"].items()
    }
    source = open_source(settings["url"], **options)
    consumer = Consumer(source, settings)
    last = time.monotonic()
    while time.monotonic() - last < settings["idle_s"]:
        if consumer.step():
            last = time.monotonic()
        else:
            time.sleep(0.05)
    source.close()


if __name__ == "__main__":
    main()
