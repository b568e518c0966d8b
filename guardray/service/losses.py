"""Workers and shards that are lost: how much is dared next, and which object takes its worker with it."""

from __future__ import annotations

from collections import Counter

LOSSES_BORNE = 3
"""How often one object, alone in its epoch, may take a worker with it before it is set aside: a machine that is out of
memory loses workers too, and then the object is not to blame."""

_PEACE = 3
"""Epochs without a loss after which one loss counts no more. Not one alone: a service that loses a worker in every
second epoch would seem to be well."""

_LEAST_SHIFT, _MOST = 3, 8


class Losses:
    """Of one coordinator."""

    def __init__(self) -> None:
        self._level = self._peaceful = 0
        self._alone: Counter[str] = Counter()

    @property
    def level(self) -> int:
        """How many there were lately."""
        return self._level

    def most(self, objects: int) -> int:
        """Objects of the next epoch instead of so many: fewer where one of them may have taken workers with it."""
        return max(1, objects >> _LEAST_SHIFT * self._level)

    def on_loss(self, suspects: list[str]) -> bool:
        """Workers or shards are gone.

        Args:
            suspects: objects that were being read, by their URL; none where they had been read by then.

        Returns:
            Whether the only one of them is to be set aside.
        """
        self._level, self._peaceful = min(self._level + 1, _MOST), 0
        if len(suspects) != 1:
            return False
        (suspect,) = suspects
        self._alone[suspect] += 1
        return self._alone[suspect] > LOSSES_BORNE

    def on_set_aside(self, suspect: str) -> None:
        """It is found what was to blame."""
        self._level = 0
        del self._alone[suspect]

    def on_epoch(self, read: list[str]) -> None:
        """An epoch was committed in which these objects were read."""
        for url in read:
            del self._alone[url]
        self._peaceful += 1
        if self._peaceful >= _PEACE and self._level:
            self._level, self._peaceful = self._level - 1, 0
