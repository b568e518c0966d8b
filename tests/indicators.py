"""Lists in files to a store, as commands make one, without a library of one's own and without a network."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from guardray.intel.library import load_indicators
from guardray.intel.store import IndicatorStore


def store_of_files(
    feeds_file: Path | None, threat_lists: Sequence[Path] = (), trusted_lists: Sequence[Path] = ()
) -> IndicatorStore:
    """The store of these lists and feeds, all of which must be usable."""
    with tempfile.TemporaryDirectory() as folder:
        store, notices = load_indicators(feeds_file, threat_lists, trusted_lists, Path(folder), offline=True)
    assert notices == []
    return store
