"""What a position has of many things that seldom change: texts of a few hundred of them, each written once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

ENTRIES = 256
"""Of a block: some 40 kB, which is what the next one that is done costs at most."""

_SLACK = 8
"""Blocks more than are needed, twice, before all are filled anew: what is removed leaves room that nobody uses."""


class Blocks(Generic[T]):
    """Entries by name, in the order in which they were added, and their texts.

    New entries go to the last block. So while things are only added, all other texts stay as they are, and where one is
    changed or removed, that of its block and of the last one are made anew.

    Args:
        encoded: an entry as plain JSON.
    """

    def __init__(self, encoded: Callable[[T], Any]) -> None:
        self._encoded = encoded
        self._blocks: dict[int, dict[str, T]] = {}
        self._block_of: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._block_of)

    def __iter__(self) -> Iterator[T]:
        for block in self._blocks.values():
            yield from block.values()

    def get(self, name: str) -> T | None:
        """The entry of a name."""
        block = self._block_of.get(name)
        return None if block is None else self._blocks[block][name]

    def put(self, name: str, entry: T) -> None:
        """Add an entry, in place of the one of this name."""
        self.remove(name)
        if len(self._blocks.get(self._last, ())) >= ENTRIES:
            self._last += 1
        self._blocks.setdefault(self._last, {})[name] = entry
        self._block_of[name] = self._last
        self._texts.pop(self._last, None)

    def remove(self, name: str) -> T | None:
        """Remove the entry of a name, and return it."""
        number = self._block_of.pop(name, None)
        if number is None:
            return None
        block = self._blocks[number]
        entry = block.pop(name)
        self._texts.pop(number, None)
        if not block:
            del self._blocks[number]
        return entry

    def texts(self) -> list[str]:
        """All entries, as a text for each block."""
        self._fill_anew_if_sparse()
        for number, block in self._blocks.items():
            if number not in self._texts:
                self._texts[number] = text_of(map(self._encoded, block.values()))
        return [self._texts[number] for number in self._blocks]

    def _fill_anew_if_sparse(self) -> None:
        if len(self._blocks) <= 2 * (len(self) // ENTRIES) + _SLACK:
            return
        entries = [entry for block in self._blocks.values() for entry in block.items()]
        self._blocks, self._block_of, self._texts, self._last = {}, {}, {}, 0
        for name, entry in entries:
            self.put(name, entry)


def text_of(entries: Iterable[Any]) -> str:
    """The text of entries in plain JSON."""
    return msgspec.json.encode(list(entries)).decode()


def entries_of(texts: Sequence[str]) -> Iterator[Any]:
    """What the texts of blocks hold, in their order."""
    for text in texts:
        yield from msgspec.json.decode(text)


def in_blocks(entries: Sequence[Any]) -> list[str]:
    """The texts of entries in blocks: while there are more and more of them, the first ones stay as they are."""
    return [text_of(entries[at : at + ENTRIES]) for at in range(0, len(entries), ENTRIES)]
