"""However ranges nest or overlap, their tree stays small and finds each of them."""

from __future__ import annotations

import numpy as np
import pytest

from guardray.intel.ranges import RangeTree, blocks_of

COUNT = 100_000
BASE = 1 << 30
NO_RANGE = np.zeros(0, np.uint32), np.zeros(0, np.uint32)


def tree_of(first: np.ndarray, last: np.ndarray, reserved=NO_RANGE) -> RangeTree:
    entries = np.arange(len(first), dtype=np.uint32)
    ranges = first.astype(np.uint32), last.astype(np.uint32)
    return RangeTree.build(ranges, np.ones(len(first), np.uint64), entries, reserved)


def nested() -> tuple[np.ndarray, np.ndarray]:
    """Single addresses, seven apart, under 20 networks that all hold them."""
    singles = BASE + 7 * np.arange(COUNT)
    sizes = 1 << np.arange(10, 30)
    return np.append(singles, BASE // sizes * sizes), np.append(singles, BASE // sizes * sizes + sizes - 1)


def staggered() -> tuple[np.ndarray, np.ndarray]:
    """Ranges that each overlap half of all others, so that every step has a set of its own, of up to 50,000."""
    first = BASE + 7 * np.arange(COUNT)
    return first, first + 7 * COUNT // 2


@pytest.mark.parametrize("ranges", [nested, staggered])
def test_a_tree_holds_few_nodes_for_each_range(ranges):
    """2 log2(n) at most: of 200,000 steps, 36."""
    tree = tree_of(*ranges())
    assert len(tree.entries) <= 36 * COUNT
    assert sum(array.nbytes for array in (tree.starts, tree.codes, tree.nodes, tree.offsets, tree.entries)) < 20e6


@pytest.mark.parametrize("ranges", [nested, staggered])
def test_a_tree_finds_all_ranges_over_an_address(ranges):
    first, last = ranges()
    tree = tree_of(first, last)
    for address in (0, BASE - 1, BASE, BASE + 1, BASE + 7 * COUNT // 3, BASE + 7 * COUNT, 2**32 - 1):
        expected = np.flatnonzero((first <= address) & (address <= last)).tolist()
        assert tree.entries_at(np.array([address], np.uint32)) == expected


def test_the_last_address_of_all_can_be_listed():
    tree = tree_of(np.array([2**32 - 1, 2**32 - 2]), np.array([2**32 - 1, 2**32 - 1]))
    assert tree.masks_of(np.array([2**32 - 3, 2**32 - 2, 2**32 - 1], np.uint32)).tolist() == [0, 1, 1]
    assert tree.entries_at(np.array([2**32 - 1], np.uint32)) == [0, 1]


def test_blocks_are_those_networks_of_256_that_hold_a_listed_address():
    first, last = np.array([256 * 5 + 255, 256 * 9 + 1, 256 * 20]), np.array([256 * 7, 256 * 9 + 2, 2**32 - 1])
    blocks = np.unpackbits(blocks_of(tree_of(first, last)), bitorder="little")
    expected = np.zeros(2**24, np.uint8)
    expected[[5, 6, 7, 9]] = 1
    expected[20:] = 1
    np.testing.assert_array_equal(blocks, expected)
