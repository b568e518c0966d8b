"""Where a store is when it is not said."""

from __future__ import annotations

from pathlib import Path

FILE_NAME = "findings.db"
"""The SQLite file in a data folder that holds findings, configuration and keys."""


def store_url(data: Path, store: str | None = None) -> str:
    """The store that was asked for, or else the one in the data folder."""
    return store if store is not None else str(data / FILE_NAME)
