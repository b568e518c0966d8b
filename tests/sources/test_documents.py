"""Cutting between log files that follow one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.sources.documents import Documents, whole_documents

FILE = b'{"Records":[{"a":"]}{\\"Records\\":"}]}'


@given(st.lists(st.sampled_from([FILE, b"\n", b" \r\n", b'{"Records":[]}']), max_size=20), st.integers(1, 50))
def test_no_file_is_cut_and_no_byte_is_lost(parts, size):
    text = b"".join(parts)
    found = list(whole_documents([text[at : at + size] for at in range(0, len(text), size)], 1 << 20, offset=5))
    assert b"".join(documents.content for documents in found) == text
    offset = 5
    for documents in found:
        assert documents.offset == offset
        assert documents.content.count(b'{"Records"') == documents.content.count(b'"}]}') + documents.content.count(
            b"[]}"
        )
        offset += len(documents.content)


@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n\r\n"])
def test_files_go_out_as_soon_as_the_next_one_begins(between):
    assert list(whole_documents([FILE + between + FILE[:15], FILE[15:]], 100)) == [
        Documents(0, FILE + between),
        Documents(len(FILE + between), FILE),
    ]


def test_one_longer_than_the_bound_is_cut_and_is_the_last():
    assert list(whole_documents([b"[" * 60, b"[" * 60, FILE], 100)) == [Documents(0, b"[" * 100, is_cut=True)]
