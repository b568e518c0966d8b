"""Text of an object: gunzipped within bounds, and kept up to where it is damaged."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.sources.limits import Limits
from guardray.sources.text import Damage, ObjectText

TEXT = b"".join(b"line %d %d\n" % (n, n * n) for n in range(20_000))
NOISE = random.Random(1).randbytes(300_000)


def read(content: bytes, limits: Limits | None = None) -> tuple[bytes, Damage | None]:
    text = ObjectText(io.BytesIO(content), limits or Limits())
    return b"".join(text.chunks()), text.damage


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT, id="plain"),
        pytest.param(gzip.compress(TEXT), id="gzip"),
        pytest.param(gzip.compress(TEXT[:777]) + gzip.compress(TEXT[777:]), id="two members"),
        pytest.param(gzip.compress(b"") + gzip.compress(TEXT) + gzip.compress(b""), id="empty members"),
        pytest.param(gzip.compress(TEXT) + bytes(512), id="padded with zeros"),
    ],
)
def test_the_whole_text_comes_out(content):
    assert read(content) == (TEXT, None)


@given(st.binary(max_size=2000), st.integers(0, 9))
def test_any_bytes_survive_gzip(content, level):
    assert read(gzip.compress(content, level)) == (content, None)


def test_nothing_gives_nothing():
    assert read(b"") == (b"", None)
    assert read(gzip.compress(b"")) == (b"", None)


@pytest.mark.parametrize("cut", [3, 10, 11, 1000, 30_000, -1, -8, -9])
def test_a_truncated_gzip_gives_what_was_there_and_says_where_it_ends(cut):
    text, damage = read(gzip.compress(TEXT)[:cut])
    assert TEXT.startswith(text)
    assert damage == Damage(len(text), "gzip ends early: the file is truncated")


def test_a_truncated_second_member_keeps_the_first():
    text, damage = read(gzip.compress(TEXT) + gzip.compress(NOISE)[:1000])
    assert text.startswith(TEXT)
    assert damage is not None
    assert damage.position == len(text)


def test_damage_inside_costs_no_more_than_a_few_kilobytes_before_it():
    content = bytearray(gzip.compress(NOISE))
    content[200_000:200_010] = b"\xff" * 10
    text, damage = read(bytes(content))
    assert damage is not None
    assert damage.reason.startswith("damaged gzip")
    assert damage.position == len(text)
    # Noise does not shrink, so that offsets in file and text are about the same; deflate writes blocks of 32 KiB.
    assert len(text) > 200_000 - 2 * 32_768
    assert NOISE.startswith(text[:190_000])


def test_a_wrong_checksum_is_reported_and_the_text_kept():
    content = bytearray(gzip.compress(TEXT))
    content[-5] ^= 1
    text, damage = read(bytes(content))
    assert TEXT.startswith(text)
    assert len(TEXT) - len(text) <= 4096
    assert damage is not None


def test_bytes_after_the_end_are_reported():
    assert read(gzip.compress(TEXT) + b"garbage") == (
        TEXT,
        Damage(len(TEXT), "bytes after the end of the gzip stream"),
    )


def test_a_bomb_is_stopped_by_its_ratio():
    limits = Limits(ratio_from_bytes=1 << 20)
    text, damage = read(gzip.compress(bytes(300 << 20)), limits)
    assert damage is not None
    assert "times its size" in damage.reason
    assert len(text) < 100 << 20


def test_a_text_that_repeats_itself_is_no_bomb():
    record = b'{"eventVersion":"1.08","userIdentity":{"type":"AWSService"},"eventName":"AssumeRole","eventID":"%d"}\n'
    text = b"".join(record % number for number in range(10_000))
    assert read(gzip.compress(text), Limits(ratio_from_bytes=1000)) == (text, None)


def test_the_size_is_bounded_for_gzip_but_not_for_plain_text():
    limits = Limits(max_object_bytes=100_000)
    _, damage = read(gzip.compress(TEXT), limits)
    assert damage is not None
    assert "more than 100,000 bytes" in damage.reason
    assert read(TEXT, limits) == (TEXT, None)
