"""Where checkpoints are when it is not said."""

from __future__ import annotations

from pathlib import Path

FOLDER_NAME = "checkpoints"
"""The folder in a data folder that holds checkpoints."""


def checkpoints_url(data: Path, url: str | None = None) -> str:
    """The root that was asked for, or else the one in the data folder."""
    return url if url is not None else str(data / FOLDER_NAME)
