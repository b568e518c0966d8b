"""A detection of one's own: its examples tried, and the file put where the service reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from guardray.custom.library import SUFFIXES
from guardray.detectors.declare import Detector
from guardray.errors import UsageError
from guardray.models.durable import write_durably
from guardray.rulebook.loading import load_own
from guardray.testing import run_example

if TYPE_CHECKING:
    import pandas as pd


def detections_in(path: Path) -> tuple[Detector, ...]:
    """The detections of a file or a folder.

    Raises:
        UsageError: one cannot be read, is there already, or has an example that fails; all reasons are told.
    """
    own = load_own([path])
    if own.problems:
        raise UsageError("\n".join(own.problems))
    return own.detectors


def examples(detector: Detector) -> pd.DataFrame:
    """What comes of each example: `example`, `should` (fire or be quiet), `findings` and the first one's `title`."""
    rows = []
    for example in detector.examples:
        found = run_example(detector, example)
        should = "fire" if example.fires else "be quiet"
        rows.append((example.name, should, len(found), found[0].title if found else ""))
    schema = {"example": pl.String, "should": pl.String, "findings": pl.Int64, "title": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").to_pandas()


def put_in_force(file: Path, folder: Path) -> Path:
    """Copy a file of detections into a folder that `detections` of the service's configuration names.

    A service reads its folders when it starts; a scan with `--detections` does at once.

    Returns:
        The copy. One of the same name is replaced.

    Raises:
        UsageError: something is wrong with it, alone or beside what the folder has.
    """
    if file.suffix not in SUFFIXES:
        raise UsageError(f"{file}: detections are in files that end in {', '.join(SUFFIXES)}")
    mine = {one.finding_type for one in detections_in(file)}
    target = folder / file.name
    others = load_own([folder]).rules if folder.is_dir() else ()
    if taken := sorted(mine & {rule.detector.finding_type for rule in others if rule.path != target}):
        raise UsageError(f"{file}: the folder has {', '.join(taken)} already, in another file")
    write_durably(target, file.read_bytes())
    return target
