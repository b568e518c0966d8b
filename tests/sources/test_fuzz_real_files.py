"""Damaged copies of real files: the reader must neither fail nor hang, and account for every record it met."""

from __future__ import annotations

import gzip
import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from guardray.sources.objects import InputObject
from guardray.sources.reader import Batch, Done, Limits, Reader
from guardray.sources.set_aside import SetAside

MUTATIONS = int(os.environ.get("GUARDRAY_FUZZ_MUTATIONS", "10000"))
LARGEST_FILE = 6_000
"""Bytes on disk: small ones are many and quick, and damage finds their every part."""

OBJECTS_A_READER = 250
"""Enough that damaged and sound objects share their batches."""


def _flip(data: bytes, other: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 3, 20))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _truncate(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _duplicate(data: bytes, other: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.randrange(1, 400)]
    return data[:start] + piece * rng.choice((2, 2, 5)) + data[start + len(piece) :]


def _splice(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def _overwrite(data: bytes, other: bytes, rng: random.Random) -> bytes:
    junk = rng.choice(
        (b"\0", b"\xff", b'"', b"{", b"[[[[", b"}", b"\n", b"\\u", b"\\ud800", b"1e999", b"null", b"-", b" ")
    )
    start = rng.randrange(len(data))
    return data[:start] + junk + data[start + len(junk) :]


DAMAGES: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (
    _flip,
    _truncate,
    _duplicate,
    _splice,
    _overwrite,
)


@pytest.fixture(scope="module")
def real_files(shared_data: Path) -> list[bytes]:
    """Real small files of every format, as they lie on disk."""
    trail = sorted((shared_data / "cloudtrail" / "sans504").rglob("*.gz"))[::40]
    others = [
        path
        for folder in ("cloudtrail/stratus", "vpc-flow", "dns")
        for path in sorted((shared_data / folder).rglob("*.gz"))
    ]
    return [path.read_bytes() for path in (*trail, *others) if path.stat().st_size <= LARGEST_FILE]


def _damaged(files: list[bytes], rng: random.Random) -> bytes:
    """One file with one kind of damage: half of them inside the gzip stream's content, the others in the stream."""
    data, other = rng.choice(files), rng.choice(files)
    inside = rng.random() < 0.75
    if inside:
        data, other = gzip.decompress(data), gzip.decompress(other)
    result = rng.choice(DAMAGES)(data, other, rng)
    return gzip.compress(result, 1) if inside and rng.random() < 0.5 else result


@pytest.mark.data
@pytest.mark.slow
def test_every_record_of_a_damaged_file_is_accounted_for(real_files, monkeypatch):
    rng = random.Random(5)
    rows = 0
    for first in range(0, MUTATIONS, OBJECTS_A_READER):
        contents = {str(first + n): _damaged(real_files, rng) for n in range(min(OBJECTS_A_READER, MUTATIONS - first))}
        rows += _read_all(contents, monkeypatch)
    assert rows > MUTATIONS  # most of what is around the damage is still read


def _read_all(contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("guardray.sources.fetching.open_object", lambda obj, endpoint: io.BytesIO(contents[obj.url]))
    reader = Reader(Limits(batch_rows=500))
    rows, done, aside_rows, aside_objects = 0, [], 0, 0
    for item in reader.read(InputObject(url=url) for url in contents):
        match item:
            case Batch(schema, frame):
                assert frame.schema == schema.polars
                frame.rows()
                rows += frame.height
            case SetAside():
                aside_rows += item.is_row
                aside_objects += not item.is_row
            case Done(obj):
                done.append(obj.url)
        counts = reader.counts
        assert counts.read == counts.normalised + counts.set_aside + counts.empty + counts.passed_over
    assert sorted(done) == sorted(contents)
    assert (rows, aside_rows, aside_objects) == (counts.normalised, counts.set_aside, counts.set_aside_objects)
    return rows
