"""What shards measured on days that have closed, on its way to the archive that models learn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.errors import ModelError
from guardray.models.archive import Archive


class FeatureArchive:
    """An archive, and the specs whose rows it takes.

    Args:
        specs: rows of others are passed over.
    """

    def __init__(self, archive: Archive, specs: Iterable[FeatureSpec]) -> None:
        self._archive = archive
        self._specs = {spec.name: spec for spec in specs}

    def keep(self, features: Mapping[str, pl.DataFrame]) -> list[str]:
        """Keep rows of whole days, by spec. What was kept before is not kept twice.

        Returns:
            What could not be kept, and why: findings do not depend on it, and the next training has less to learn from.
        """
        problems = []
        for name, rows in features.items():
            if (spec := self._specs.get(name)) is None:
                continue
            try:
                self._archive.add(spec, rows)
            except ModelError as error:
                problems.append(f"what models learn from cannot be kept: {error}")
        return problems
