"""Load that goes on: a simulated day's objects, delivered again and again as objects of now."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from guardray.simulate.rates import Rates
from guardray.simulate.run import simulate


class Load(threading.Thread):
    """Puts so many objects a second into a folder until it is stopped.

    Objects are hard links below a folder a round. Their content is known after the first round, so that what the
    service remembers of objects does not grow without end, while each of them is still noticed, opened and compared.

    Args:
        day: the folder of a simulated day.
        into: the folder that the service watches.
    """

    def __init__(self, day: Path, into: Path, objects_per_s: float) -> None:
        super().__init__(name="load", daemon=True)
        self._objects: Sequence[Path] = sorted(path for path in day.rglob("*") if path.is_file())
        self._day, self._into, self._pause_s = day, into, 1 / objects_per_s
        self._stopping = threading.Event()
        self.delivered = 0

    def run(self) -> None:
        while not self._stopping.wait(self._pause_s):
            turn, index = divmod(self.delivered, len(self._objects))
            obj = self._objects[index]
            target = self._into / f"round-{turn}" / obj.relative_to(self._day)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(obj, target)
            self.delivered += 1

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopping.set()
        self.join()


def simulated_day(folder: Path) -> Path:
    """The log folder of a small account's day, with attacks in it."""
    simulate(folder, accounts=1, days=1, seed=5, rate=Rates.named("quiet"))
    return folder / "AWSLogs"
