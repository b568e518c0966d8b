"""Finds every detector by walking this package: each module offers `DETECTOR` or `DETECTORS`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
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
        raise UsageError(f"no detector for finding types {sorted(unknown)}; `guardray detectors list` shows all")
    return tuple(found[name] for name in sorted(only or found))


def declaring_modules() -> dict[str, ModuleType]:
    """Each finding type to the module that declares its detector, whose docstring explains it."""
    return {detector.finding_type: module for module, detector in _declared()}
