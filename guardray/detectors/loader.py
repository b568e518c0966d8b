"""Finds every detector by walking this package: each module offers `DETECTOR` or `DETECTORS`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from types import ModuleType

import guardray.detectors
from guardray.detectors.declare import Detector
from guardray.errors import UsageError


def _declared() -> Iterator[tuple[ModuleType, Detector]]:
    package = guardray.detectors
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.ispkg:
            continue
        module = importlib.import_module(found.name)
        for detector in getattr(module, "DETECTORS", ()) or (getattr(module, "DETECTOR", None),):
            if isinstance(detector, Detector):
                yield module, detector


def load_detectors(only: Collection[str] = ()) -> tuple[Detector, ...]:
    """All detectors, or those of the finding types in `only`, sorted by finding type.

    Raises:
        UsageError: two modules claim one finding type, or `only` names a type that no module has.
    """
    found: dict[str, Detector] = {}
    for _, detector in _declared():
        if found.setdefault(detector.finding_type, detector) is not detector:
            raise UsageError(f"two detectors claim finding type {detector.finding_type!r}")
    if unknown := set(only) - set(found):
        raise UsageError(_unknown(sorted(unknown), sorted(found)))
    return tuple(found[name] for name in sorted(only or found))


def _unknown(wanted: Sequence[str], known: Sequence[str]) -> str:
    """Says which types there are not, with those that may have been meant."""
    hints = []
    for name in wanted:
        parts = [type_ for type_ in known if name.lower() in type_.lower()] or get_close_matches(name, known, n=3)
        hints.append(f"{name!r}" + (f" (meant: {', '.join(parts[:3])}?)" if parts else ""))
    return f"no detector for finding type {', '.join(hints)}; `guardray detectors list` shows all"


def declaring_modules() -> dict[str, ModuleType]:
    """Each finding type to the module that declares its detector, whose docstring explains it."""
    return {detector.finding_type: module for module, detector in _declared()}
