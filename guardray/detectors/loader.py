"""Finds every detector by walking this package: each module offers `DETECTOR` or `DETECTORS`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator

import guardray.detectors
from guardray.detectors.declare import Detector
from guardray.errors import UsageError


def _modules() -> Iterator[object]:
    package = guardray.detectors
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.ispkg:
            yield importlib.import_module(module.name)


def load_detectors(only: Collection[str] = ()) -> tuple[Detector, ...]:
    """All detectors, or those of the finding types in `only`, sorted by finding type.

    Raises:
        UsageError: two modules claim one finding type, or `only` names a type that no module has.
    """
    found: dict[str, Detector] = {}
    for module in _modules():
        declared = getattr(module, "DETECTORS", ()) or (getattr(module, "DETECTOR", None),)
        for detector in declared:
            if not isinstance(detector, Detector):
                continue
            if found.setdefault(detector.finding_type, detector) is not detector:
                raise UsageError(f"two detectors claim finding type {detector.finding_type!r}")
    if unknown := set(only) - set(found):
        raise UsageError(f"no detector for finding types {sorted(unknown)}; `guardray detectors list` shows all")
    return tuple(found[name] for name in sorted(only or found))
