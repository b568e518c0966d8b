"""Columns of text made without a Python loop: ids, addresses, times."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

_OCTETS = pl.Series("octet", [str(octet) for octet in range(256)])
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_BASE64 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", dtype=np.uint8)
_UPPER = np.frombuffer(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", dtype=np.uint8)
_UUID_DASHES = (8, 13, 18, 23)


def fixed_width(letters: NDArray[np.uint8]) -> pl.Series:
    """Strings of equal width from their ASCII codes: uint8 [n, width] to String [n]."""
    n, width = letters.shape
    offsets = np.arange(n + 1, dtype=np.int64) * width
    array = pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters)))
    return pl.Series(array)


def _letters(rng: np.random.Generator, n: int, width: int, alphabet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [n, width] of letters from an alphabet whose size divides 256."""
    noise = np.frombuffer(rng.bytes(n * width), dtype=np.uint8).reshape(n, width)
    return alphabet[noise % len(alphabet)]


def uuids(rng: np.random.Generator, n: int) -> pl.Series:
    """Random (version 4) UUIDs, as CloudTrail writes event and request ids."""
    letters = _letters(rng, n, 36, _HEX)
    letters[:, _UUID_DASHES] = ord("-")
    letters[:, 14] = ord("4")
    letters[:, 19] = _HEX[8 + letters[:, 19] % 4]
    return fixed_width(letters)


def s3_request_ids(rng: np.random.Generator, n: int) -> pl.Series:
    """Sixteen capitals and digits, as S3 writes request ids."""
    return fixed_width(_letters(rng, n, 16, _UPPER))


def s3_host_ids(rng: np.random.Generator, n: int) -> pl.Series:
    """Seventy-five base64 letters and one `=`, as S3 writes `x-amz-id-2`."""
    letters = _letters(rng, n, 76, _BASE64)
    letters[:, 75] = ord("=")
    return fixed_width(letters)


def hex_words(rng: np.random.Generator, n: int, width: int) -> pl.Series:
    """Random hexadecimal words."""
    return fixed_width(_letters(rng, n, width, _HEX))


def addresses(numbers: NDArray[np.uint32]) -> pl.Series:
    """Dotted IPv4 addresses from numbers."""
    octets = [_OCTETS.gather((numbers >> shift) & 255) for shift in (24, 16, 8, 0)]
    return pl.select(pl.concat_str(octets, separator=".")).to_series()


def address(number: int) -> str:
    """One dotted IPv4 address."""
    return ".".join(str((number >> shift) & 255) for shift in (24, 16, 8, 0))


def utc_times(seconds: NDArray[np.float64]) -> pl.Series:
    """ISO 8601 times to the second with `Z`, from epoch seconds."""
    whole = pl.Series(np.floor(seconds).astype(np.int64))
    return pl.from_epoch(whole, time_unit="s").dt.to_string("%Y-%m-%dT%H:%M:%SZ")
