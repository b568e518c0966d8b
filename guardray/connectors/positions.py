"""Positions as they are kept: plain JSON that names what wrote it."""

from __future__ import annotations

from typing import Any

from guardray.connectors.source import Position
from guardray.errors import SnapshotError

VERSION = 1


def labelled(kind: str, content: dict[str, Any]) -> Position:
    """Content with what tells where it belongs."""
    return {"kind": kind, "version": VERSION, **content}


def checked(position: Position, kind: str, place: str) -> Position:
    """A position that this kind of source wrote in this version.

    Raises:
        SnapshotError: it did not.
    """
    found, version = position.get("kind"), position.get("version")
    if found != kind:
        raise SnapshotError(place, f"the position is of {found!r} and not of {kind!r}")
    if version != VERSION:
        raise SnapshotError(place, f"the position is of version {version!r}, and this program reads {VERSION}")
    return position
