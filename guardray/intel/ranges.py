"""Which categories an address has, and which entries say so: ranges that overlap, as steps under a tree.

Addresses are numbers of one NumPy type: uint32 for IPv4, `S16` for IPv6. The ends of all ranges cut the numbers into
steps, and a range covers a run of whole steps. Each step knows the categories of all ranges over it, which is all that
columns ask for. Which ranges these are is asked for hits only, and kept in a segment tree over the steps: a run is the
sum of at most 2 log2(n) nodes, and the ranges over a step are those at the nodes above it. So memory grows with
n log(n) at worst, however large networks nest around single addresses.

Source: de Berg and others 2008, Computational Geometry, section 10.3 (segment trees).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guardray.intel.categories import trusted_wins
from guardray.schema import ipv6

Addresses = npt.NDArray[Any]
UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RangeTree:
    """Ranges of addresses, each with the number of its entry.

    Attributes:
        starts: [n], ascending from 0: step i reaches from `starts[i]` up to the next start.
        codes: uint16 or uint32 [n]: step i has the categories `masks[codes[i]]`.
        masks: uint64, the distinct ones; `masks[0]` is 0.
        nodes: uint32 [k], ascending: nodes of the tree that hold entries. Node 1 is the root, the children of node i
            are 2i and 2i + 1.
        offsets: uint32 [k + 1]: node `nodes[i]` holds `entries[offsets[i]:offsets[i + 1]]`.
        entries: uint32.
    """

    starts: Addresses
    codes: npt.NDArray[np.uint16] | UInt32s
    masks: UInt64s
    nodes: UInt32s
    offsets: UInt32s
    entries: UInt32s

    @classmethod
    def build(
        cls,
        ranges: tuple[Addresses, Addresses],
        masks: UInt64s,
        entries: UInt32s,
        reserved: tuple[Addresses, Addresses],
    ) -> RangeTree:
        """From firsts and lasts (included) of ranges that may overlap, with their masks and entries.

        Addresses in the reserved ranges have no category, whatever lists say of them.
        """
        starts = _starts(ranges, reserved)
        width = _width(starts)
        low, high = _runs(starts, ranges)
        nodes, which = _pieces(low + width, high + width)
        order = np.argsort(nodes, kind="stable")
        nodes, which = nodes[order], which[order]
        held, offsets = _distinct(nodes)
        steps = _steps(held, offsets, masks[which], width)[: len(starts)]
        for low_end, high_end in zip(*_runs(starts, reserved), strict=True):
            steps[low_end:high_end] = 0
        distinct, codes = _interned(trusted_wins(steps))
        return cls(starts, codes, distinct, held, offsets, entries[which])

    def masks_of(self, addresses: Addresses) -> UInt64s:
        """uint64 [n]: the categories of each address."""
        return self.masks[self.codes[self.steps_of(addresses)]]

    def steps_of(self, addresses: Addresses) -> Ints:
        """int64 [n]: the step that each address is in."""
        return np.searchsorted(self.starts, addresses, side="right") - 1

    def entries_at(self, address: Addresses) -> list[int]:
        """The entries whose ranges hold the address, given as an array of one, ascending."""
        (step,) = self.steps_of(address)
        if not self.masks[self.codes[step]]:
            return []  # reserved, or under no range
        leaf = int(step) + _width(self.starts)
        above = np.array([leaf >> level for level in range(leaf.bit_length())], np.uint32)
        places = np.minimum(np.searchsorted(self.nodes, above), len(self.nodes) - 1)
        held = places[self.nodes[places] == above]
        found = [self.entries[self.offsets[place] : self.offsets[place + 1]].tolist() for place in held]
        return sorted(entry for entries in found for entry in entries)


def successors(addresses: Addresses) -> Addresses:
    """[n]: the next address after each; 0 after the greatest."""
    if addresses.dtype == np.uint32:
        return addresses + np.uint32(1)
    high, low = ipv6.to_words(addresses)
    low = low + np.uint64(1)
    return ipv6.from_words(high + (low == 0), low)


def _width(starts: Addresses) -> int:
    """How many leaves the tree over the steps has: a power of two."""
    return 1 << (len(starts) - 1).bit_length()


def _starts(*ranges: tuple[Addresses, Addresses]) -> Addresses:
    """[n], ascending from 0: where a range begins, or the first address after one."""
    zero = np.zeros(1, ranges[0][0].dtype)
    ends = np.concatenate([zero, *(side for first, last in ranges for side in (first, successors(last)))])
    ends.sort()  # np.unique hashes first, which takes ten times as long
    return _distinct(ends)[0]


def _runs(starts: Addresses, ranges: tuple[Addresses, Addresses]) -> tuple[Ints, Ints]:
    """The steps that each range covers, from the first up to and without the second."""
    first, last = ranges
    after = np.searchsorted(starts, successors(last))
    after[after == 0] = len(starts)  # no address follows the greatest
    return np.searchsorted(starts, first), after


def _pieces(low: Ints, high: Ints) -> tuple[UInt32s, Ints]:
    """The tree nodes that runs of leaves consist of, and which run each is of. One round a level of the tree."""
    which = np.arange(len(low))
    nodes, runs = [np.zeros(0, np.uint32)], [np.zeros(0, np.int64)]
    while len(which):
        left, right = (low & 1).astype(bool), (high & 1).astype(bool)
        nodes += [low[left].astype(np.uint32), high[right].astype(np.uint32) - np.uint32(1)]
        runs += [which[left], which[right]]
        low, high = (low + left) >> 1, high >> 1
        going = low < high
        low, high, which = low[going], high[going], which[going]
    return np.concatenate(nodes), np.concatenate(runs)


def _distinct(ascending: Addresses) -> tuple[Addresses, UInt32s]:
    """The distinct values of an ascending array, and where each begins, with the array's length at the end."""
    begins = np.flatnonzero(np.concatenate((np.ones(min(len(ascending), 1), bool), ascending[1:] != ascending[:-1])))
    return ascending[begins], np.append(begins, len(ascending)).astype(np.uint32)


def _steps(nodes: UInt32s, offsets: UInt32s, masks: UInt64s, width: int) -> UInt64s:
    """uint64 [width]: the masks of all nodes above each leaf, or-ed."""
    tree = np.zeros(2 * width, np.uint64)
    if len(nodes):
        tree[nodes] = np.bitwise_or.reduceat(masks, offsets[:-1])
    level = 1
    while level < width:
        tree[2 * level : 4 * level] |= np.repeat(tree[level : 2 * level], 2)
        level *= 2
    return tree[width:]


def _interned(masks: UInt64s) -> tuple[UInt64s, npt.NDArray[np.uint16] | UInt32s]:
    """Distinct masks, 0 first, and for each of the masks its place among them."""
    distinct: UInt64s = np.union1d(masks, np.zeros(1, np.uint64))
    places = np.searchsorted(distinct, masks)
    return distinct, places.astype(np.uint16) if len(distinct) <= 2**16 else places.astype(np.uint32)


def blocks_of(tree: RangeTree) -> npt.NDArray[np.uint8]:
    """uint8 [2^21]: a bit for each IPv4 /24 network, set where any address in it has a category.

    Traffic rarely touches a listed network, so that most look-ups end at this 2 MB table.
    """
    ends = np.append(tree.starts[1:] - np.uint32(1), np.uint32(2**32 - 1))
    listed = tree.codes != 0
    low, high = tree.starts[listed] >> np.uint32(8), ends[listed] >> np.uint32(8)
    table = np.zeros(2**24, np.bool_)
    table[low] = True
    table[high] = True
    low, high = low[high > low], high[high > low]
    # Steps do not overlap, so at most one that leaves its block begins in a block, and at most one such ends there.
    opened = np.zeros(2**24, np.int8)
    opened[low] += 1
    opened[high] -= 1
    table |= np.cumsum(opened, dtype=np.int8) > 0
    return np.packbits(table, bitorder="little")
