"""Cutting at line ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardray.sources.lines import GiantLine, Lines, whole_lines

TEXTS = st.lists(st.sampled_from([b"a", b"bb", b"\n", b"ccc\n", b"\n\n", b"", b"dddddddd"]), max_size=30)


@given(TEXTS)
def test_chunks_cut_anywhere_give_the_same_text_in_whole_lines(chunks):
    found = list(whole_lines(chunks, 1000))
    assert b"".join(lines.content for lines in found) == b"".join(chunks)
    assert all(lines.content.endswith(b"\n") for lines in found[:-1])
    offset = 0
    for lines in found:
        assert lines.offset == offset
        offset += len(lines.content)


@given(TEXTS, st.integers(1, 12))
def test_with_a_bound_every_byte_is_in_lines_or_in_a_giant(chunks, bound):
    text = b"".join(chunks)
    offset = 7
    for piece in whole_lines(chunks, bound, offset=7):
        assert piece.offset == offset
        if isinstance(piece, Lines):
            assert piece.content == text[offset - 7 :][: len(piece.content)]
            offset += len(piece.content)
        else:
            assert text[offset - 7 :].startswith(piece.beginning)
            assert len(piece.beginning) <= bound < piece.length
            offset += piece.length
    assert offset == 7 + len(text)


def test_a_giant_line_is_reported_with_its_beginning_and_the_rest_goes_on():
    chunks = [b"one\ntw", b"oooooo", b"oooooo", b"o\nthree\n", b"four"]
    assert list(whole_lines(chunks, 10)) == [
        Lines(0, b"one\n"),
        GiantLine(4, 16, b"twoooooooo"),
        Lines(20, b"three\n"),
        Lines(26, b"four"),
    ]


def test_a_giant_last_line_is_reported():
    assert list(whole_lines([b"a" * 6, b"a" * 6], 10)) == [GiantLine(0, 12, b"a" * 10)]
