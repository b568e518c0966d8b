"""Makes the file of rows that come with the program: `python -m guardray.models.prior_build ARCHIVE...`.

The archives are of simulated accounts in which nothing happens but change: `guardray simulate` without attacks, and
`guardray train --baseline DIR`, which leaves `DIR/archive`. What ships was made of the accounts of two evaluations (of
`guardray.simulate.evaluation`, seeds 21 and 22, those of traffic 9001 and 9002), without the rows of their attacks.
Whenever there are new features, the file is to be made anew; a test says so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import polars as pl

from guardray.detectors.features import FeatureSpec, specs_of
from guardray.detectors.loader import load_detectors
from guardray.models.archive import FLAGGED, Archive
from guardray.models.prior import PRIOR, PriorRows

ROWS = 300
"""Of each spec: enough for the shape of a tail, few beside a month of one account."""

DIGITS = 3


def prior_of(spec: FeatureSpec, archives: Sequence[Archive]) -> PriorRows | None:
    """Rows of archives, those of the least digests; None where there are none."""
    rows = pl.concat(archive.read(spec) for archive in archives).filter(~pl.col(FLAGGED))
    if rows.is_empty():
        return None
    chosen = rows.sort("digest", "account", "day", "whose").head(ROWS).select(spec.names)
    return PriorRows(spec.definition, spec.names, [list(row) for row in chosen.select(pl.all().round(DIGITS)).rows()])


def build(folders: Sequence[Path]) -> bytes:
    """The file, as JSON with a row a line."""
    archives = [Archive(folder) for folder in folders]
    found = {spec.name: prior_of(spec, archives) for spec in specs_of(load_detectors())}
    return written({name: prior for name, prior in found.items() if prior is not None})


def written(found: dict[str, PriorRows]) -> bytes:
    """Priors by spec as the bytes of the file: JSON with a row a line."""
    parts = []
    for name, prior in found.items():
        rows = ",\n".join(msgspec.json.encode(row).decode() for row in prior.rows)
        head = msgspec.json.encode({"definition": prior.definition, "features": prior.features}).decode()
        parts.append(f'"{name}": {head[:-1]}, "rows": [\n{rows}\n]}}')
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


if __name__ == "__main__":
    PRIOR.parent.mkdir(exist_ok=True)
    PRIOR.write_bytes(build([Path(name) for name in sys.argv[1:]]))
