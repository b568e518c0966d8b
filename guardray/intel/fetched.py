"""What a download is asked to keep to, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from guardray.intel.formats.options import MAX_BYTES


@dataclass(frozen=True)
class Limits:
    """How long, how large and how far a download may be.

    Attributes:
        connect_s: for each address of the server that is tried.
        read_s: between two arrivals of anything.
        total_s: for all of it, redirects too.
    """

    connect_s: float = 10.0
    read_s: float = 30.0
    total_s: float = 300.0
    max_bytes: int = MAX_BYTES
    redirects: int = 5


@dataclass(frozen=True)
class Seen:
    """What tells a server which copy is there already."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Fetched:
    """Content as it arrived, and what to say of it next time."""

    content: bytes
    seen: Seen
