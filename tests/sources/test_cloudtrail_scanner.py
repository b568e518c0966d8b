"""The scanner against msgspec's decoder: the same texts are sound, and the same members are found in them."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardray.sources.cloudtrail import cells, scanner
from guardray.sources.cloudtrail.json_text import DEPTH
from guardray.sources.cloudtrail.records import ABSENT, LogFile, Record
from guardray.sources.cloudtrail.records import FLAGS as FLAG_VALUES
from guardray.sources.cloudtrail.scan import FLAGS, Scanned, number_of, scan, scan_records

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TEXTS = (
    st.none() | st.text() | st.sampled_from(["s3.amazonaws.com", "2026-01-05T14:25:48Z", "a" * 12, "a" * 13, "b" * 70])
)
FLAG_TEXTS = st.none() | st.booleans() | st.sampled_from(["true", "True", "false", "False", "TRUE", "", "yes"])
FIELDS = msgspec.structs.fields(Record)


def _values(field: msgspec.structs.FieldInfo) -> st.SearchStrategy[object]:
    return FLAG_TEXTS if field.name in FLAGS else VALUES if field.type is msgspec.Raw else TEXTS


RECORDS = st.fixed_dictionaries(
    {},
    optional={**{field.encode_name: _values(field) for field in FIELDS}, "more": VALUES, "": VALUES, "n" * 40: VALUES},
)
JSON_TEXTS = st.builds(
    lambda value, indent, is_ascii: json.dumps(value, indent=indent, ensure_ascii=is_ascii),
    st.lists(RECORDS, max_size=4),
    st.none() | st.integers(0, 2),
    st.booleans(),
)


def _cell_values(scanned: Scanned, field: str) -> list[object]:
    own = np.ascontiguousarray(scanned.cells[number_of(field)])
    if field in FLAGS:
        return cells.flags(field, own).to_list()
    return cells.texts(field, np.full(len(own), scanned.address, np.uint64), own).to_list()


def _expected(record: Record, field: msgspec.structs.FieldInfo) -> object:
    value = getattr(record, field.name)
    if field.name in FLAGS:
        return FLAG_VALUES.get(value)
    if field.type is not msgspec.Raw:
        return value
    return None if bytes(value) == bytes(ABSENT) else bytes(value).decode().replace("\n", " ")


def _decoded(text: bytes) -> list[Record] | None:
    """What msgspec, which does not look at the encoding, makes of it: a log file's records, else one record."""
    try:
        text.decode()
        return msgspec.json.decode(text, type=LogFile).records
    except UnicodeDecodeError:
        return None
    except (ValueError, RecursionError):
        pass
    try:
        return [msgspec.json.decode(text, type=Record)]
    except (ValueError, RecursionError):
        return None


def _agrees(text: bytes) -> bool:
    """Whether the text is sound, which it must be to both or to none; what is found in it must be the same."""
    scanned, expected = scan(text), _decoded(text)
    assert (scanned is None) == (expected is None)
    if scanned is None or expected is None:
        return False
    for field in FIELDS:
        assert _cell_values(scanned, field.name) == [_expected(record, field) for record in expected], field.name
    return True


@given(JSON_TEXTS)
@settings(max_examples=60)
def test_records_of_any_content_are_found_as_msgspec_finds_them(records):
    try:
        text = f'{{"Records": {records}}}'.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return
    assert _agrees(text)


@given(JSON_TEXTS, st.data())
@settings(max_examples=150)
def test_a_damaged_text_is_sound_to_both_or_to_none(records, data):
    text = bytearray(f'{{"Records":{records}}}'.encode(errors="replace"))
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(len(b'{"Records":'), len(text) - 1))
        text[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from(
                [
                    b"",
                    b"\\",
                    b'"',
                    b"{",
                    b"}",
                    b"[",
                    b"]",
                    b",",
                    b":",
                    b" ",
                    b"\n",
                    b"\x01",
                    b"\0",
                    b"0",
                    b"-",
                    b"1e",
                    b"tru",
                    b"\\u12",
                    b"\xff",
                ]
            )
        )
    _agrees(bytes(text))


@given(st.lists(VALUES, min_size=1, max_size=3), st.integers(0, 40))
def test_the_end_of_a_text_is_the_end_wherever_it_lies_in_a_word(values, spaces):
    text = json.dumps({"Records": [{"eventName": "x", "requestParameters": value} for value in values]}).encode()
    assert _agrees(b" " * spaces + text)
    for end in range(len(text) - 1, max(0, len(text) - 80), -1):
        assert scan(text[:end]) is None


def test_what_msgspec_writes_is_scanned_again():
    records = [
        Record(event_name='a"\n\u2028', user_identity=msgspec.Raw(b'{ "a" : [1.5e3, -0, {}] }'), read_only="True")
    ]
    scanned = scan_records(records)
    assert _cell_values(scanned, "event_name") == ['a"\n\u2028']
    assert _cell_values(scanned, "user_identity") == ['{ "a" : [1.5e3, -0, {}] }']
    assert _cell_values(scanned, "read_only") == [True]


@pytest.mark.parametrize("half", [b"\\ud800", b"\\udc00", b"\\ud800x", b"\\ud800\\ud800", b"\\ud800\\udc0"])
@pytest.mark.parametrize("name", [b"eventName", b"requestParameters", b"more"])
def test_half_of_a_surrogate_pair_is_refused_wherever_it_is(half, name):
    assert scan(b'{"Records":[{"%b":"%b"}]}' % (name, half)) is None


def test_values_are_refused_only_where_they_are_nested_deeper_than_python_goes():
    def nested(depth: int) -> bytes:
        return b'{"Records":[{"requestParameters":' + b"[" * depth + b"]" * depth + b"}]}"

    assert scan(nested(DEPTH)) is not None
    assert scan(nested(DEPTH + 1)) is None


@given(st.lists(st.none() | st.text(max_size=40), max_size=30))
def test_texts_become_a_column(texts):
    content = "".join(text or "" for text in texts).encode()
    own, end = [], 0
    for text in texts:
        size = len((text or "").encode())
        own.append(scanner.NULL if text is None else scanner.cell(end, end + size, 0))
        end += size
    scanned = Scanned(content, np.array([own], np.int64).reshape(1, len(own)))
    bases = np.full(len(own), scanned.address, np.uint64)
    assert cells.texts("t", bases, scanned.cells[0]).to_list() == texts
    codes, firsts = cells.distinct(bases, scanned.cells[0])
    assert [None if code < 0 else texts[firsts[code]] for code in codes.tolist()] == texts
    assert len(firsts) == len(set(texts) - {None})


WHOLE_NUMBERS = st.integers(-5, 10**19).map(str) | st.text('0123456789-.e "', max_size=20)


@given(st.lists(st.none() | WHOLE_NUMBERS))
def test_whole_numbers_become_a_column_and_other_values_none(texts):
    ends = np.cumsum([0, *(len(text or "") for text in texts)])
    own = [
        scanner.NULL if text is None else scanner.cell(int(start), int(start) + len(text), 0)
        for text, start in zip(texts, ends[:-1], strict=True)
    ]
    scanned = Scanned("".join(text or "" for text in texts).encode(), np.array(own, np.int64))
    found = cells.integers("n", np.full(len(texts), scanned.address, np.uint64), scanned.cells)
    expected = [int(text) if text and text.isdigit() and len(text) <= 18 else None for text in texts]
    assert found.to_list() == expected


@given(st.lists(st.datetimes(min_value=datetime(1969, 1, 1)) | st.text("0123456789-T:Z", min_size=20, max_size=20)))
def test_times_are_read_as_polars_reads_them(times):
    texts = [time if isinstance(time, str) else f"{time:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0") for time in times]
    expected = pl.Series(texts, dtype=pl.String).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", strict=False)
    scanned = Scanned(
        "".join(texts).encode(), np.array([scanner.cell(20 * n, 20 * n + 20, 0) for n in range(len(texts))], np.int64)
    )
    found, others = cells.times(np.full(len(texts), scanned.address, np.uint64), scanned.cells)
    known = [value.timestamp() * 1e6 if value is not None and value.year >= 1970 else None for value in expected]
    assert [f for f, k in zip(found.tolist(), known, strict=True) if f] == [
        k for f, k in zip(found.tolist(), known, strict=True) if f
    ]
    assert others == sum(k is None for k in known)


@given(st.lists(st.none() | st.text("0159afgAFG.: \n", max_size=16) | st.ip_addresses().map(str)))
def test_addresses_are_told_by_their_letters(texts):
    pattern = r"^[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+$"
    ends = np.cumsum([0, *(len(text or "") for text in texts)])
    own = np.array(
        [
            scanner.NULL if t is None else scanner.cell(int(s), int(s) + len(t), 0)
            for t, s in zip(texts, ends[:-1], strict=True)
        ],
        np.int64,
    )
    scanned = Scanned("".join(text or "" for text in texts).encode(), own)
    found = cells.like_addresses(np.full(len(own), scanned.address, np.uint64), own)
    assert found.tolist() == pl.Series(texts, dtype=pl.String).str.contains(pattern).fill_null(value=False).to_list()
