"""Entries in blocks are the same as in a dictionary, whatever is added and removed, and few texts change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardray.connectors.blocks import ENTRIES, Blocks, entries_of, in_blocks


def blocks_of(names: range) -> Blocks[int]:
    blocks: Blocks[int] = Blocks(lambda entry: entry)
    for name in names:
        blocks.put(str(name), name)
    return blocks


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=80))
def test_blocks_hold_what_a_dictionary_holds(changes):
    blocks: Blocks[int] = Blocks(lambda entry: entry)
    expected: dict[str, int] = {}
    for number, (is_put, name) in enumerate(changes):
        if is_put:
            blocks.put(str(name), number)
            expected[str(name)] = number
        else:
            assert blocks.remove(str(name)) == expected.pop(str(name), None)
        assert sorted(blocks) == sorted(entries_of(blocks.texts())) == sorted(expected.values())
        assert len(blocks) == len(expected)
        assert all(blocks.get(one) == value for one, value in expected.items())


def test_what_is_added_changes_the_last_text_alone():
    blocks = blocks_of(range(10 * ENTRIES + 1))
    before = blocks.texts()
    blocks.put("more", -1)
    after = blocks.texts()
    assert after[:-1] == before[:-1]
    assert len(after) == len(before) == 11


def test_what_is_removed_changes_the_text_of_its_block():
    blocks = blocks_of(range(10 * ENTRIES))
    before = blocks.texts()
    blocks.remove(str(3 * ENTRIES))
    assert len(set(blocks.texts()) - set(before)) == 1


def test_room_that_nobody_uses_is_given_back():
    blocks = blocks_of(range(100 * ENTRIES))
    for name in range(100 * ENTRIES):
        if name % ENTRIES:
            blocks.remove(str(name))
    assert len(blocks.texts()) == 1
    assert sorted(blocks) == list(range(0, 100 * ENTRIES, ENTRIES))


def test_more_of_a_list_leaves_its_first_texts_as_they_are():
    entries = list(range(3 * ENTRIES))
    assert in_blocks([*entries, 1])[:3] == in_blocks(entries)
    assert list(entries_of(in_blocks(entries))) == entries
