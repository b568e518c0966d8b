"""The text of a list that may be packed."""

from __future__ import annotations

import io
import zipfile
import zlib

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"
_GZIP_WINDOW = 31  # zlib: the greatest window, with gzip's header


def unpacked(content: bytes, max_bytes: int) -> bytes:
    """The content without gzip or zip around it. No more than `max_bytes` are unpacked, whatever is in it.

    Raises:
        ValueError: it is larger, damaged, or a zip of several files.
    """
    try:
        if content.startswith(_GZIP_MAGIC):
            content = _gunzipped(content, max_bytes)
        elif content.startswith(_ZIP_MAGIC):
            content = _unzipped(content, max_bytes)
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"cannot be unpacked: {error}") from error
    if len(content) > max_bytes:
        raise ValueError(f"is larger than {max_bytes:,} bytes")
    return content


def decoded(content: bytes) -> str:
    """Content as text: UTF-8, or UTF-16 where it has a byte-order mark. What is no character becomes U+FFFD."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return content.decode(encoding, errors="replace")


def _gunzipped(content: bytes, max_bytes: int) -> bytes:
    """All members of a gzip file."""
    parts, size = [], 0
    while content.startswith(_GZIP_MAGIC):
        member = zlib.decompressobj(_GZIP_WINDOW)
        parts.append(member.decompress(content, max_bytes + 1 - size))
        size += len(parts[-1])
        if size > max_bytes:
            break
        if not member.eof:
            raise EOFError("it is cut short")
        content = member.unused_data
    return b"".join(parts)


def _unzipped(content: bytes, max_bytes: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise ValueError(f"is a zip of {len(members)} files, where one is wanted")
        with archive.open(members[0]) as member:
            return member.read(max_bytes + 1)
