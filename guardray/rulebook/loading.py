"""Detections of one's own, loaded: read, without duplicates, and with examples that pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from guardray.custom.library import OwnRule, Refused, read_folders, without_duplicates
from guardray.custom.settings import folders_of
from guardray.detectors.declare import Detector
from guardray.detectors.loader import load_detectors
from guardray.rulebook.examples import Outcome, outcomes_of_all


@dataclass(frozen=True)
class OwnDetections:
    """What was loaded. `failed` are rules whose examples do not pass, with the reason."""

    rules: tuple[OwnRule, ...] = ()
    refused: tuple[Refused, ...] = ()
    failed: tuple[tuple[OwnRule, str], ...] = ()

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """Those that run."""
        return tuple(rule.detector for rule in self.rules)

    @property
    def problems(self) -> list[str]:
        """Why the others do not."""
        return [one.reason for one in self.refused] + [reason for _, reason in self.failed]


def load_own(paths: Sequence[Path] | None) -> OwnDetections:
    """The detections of these folders and files. Whatever is wrong with one leaves the others.

    Raises:
        UsageError: a path is not there, or a file that names folders is wrong.
    """
    if not paths:
        return OwnDetections()
    read, refused = read_folders(folders_of(list(paths)))
    kept, twice = without_duplicates(read, load_detectors())
    rules, failed = [], []
    for rule, done in zip(kept, outcomes_of_all([rule.detector for rule in kept]), strict=True):
        if (reason := _first_failure(rule, done)) is None:
            rules.append(rule)
        else:
            failed.append((rule, reason))
    return OwnDetections(tuple(rules), (*refused, *twice), tuple(failed))


def _first_failure(rule: OwnRule, done: Sequence[Outcome]) -> str | None:
    for outcome in done:
        if outcome.failure is not None:
            name = f"{rule.path}: {rule.detector.finding_type}: the example {outcome.example.name!r} fails"
            return f"{name}: {outcome.failure}"
    return None


def chosen(own: OwnDetections, only: Sequence[str]) -> tuple[Detector, ...]:
    """guardray's own detectors and these, or those of the finding types in `only`.

    Raises:
        UsageError: a type is unknown.
    """
    by_type = {detector.finding_type: detector for detector in own.detectors}
    others = [name for name in only if name not in by_type]
    ours = load_detectors(others) if others or not only else ()
    wanted = [detector for name, detector in by_type.items() if not only or name in only]
    return tuple(sorted((*ours, *wanted), key=lambda detector: detector.finding_type))
