"""The models that a registry has in force, as far as they can be used."""

from __future__ import annotations

from collections.abc import Iterable

from guardray.detectors.features import FeatureSpec
from guardray.errors import ModelError
from guardray.models.registry import CARD, Registry
from guardray.models.scorer import ModelSet


def in_force(registry: Registry, specs: Iterable[FeatureSpec]) -> tuple[ModelSet, list[ModelError]]:
    """The models in force for these specs, and what is wrong with those that cannot be used.

    Where the version in force cannot be used, the one that was in force before it is.
    """
    families, versions, errors = {}, {}, []
    try:
        promotions = registry.promotions()
    except ModelError as error:
        return ModelSet({}, {}), [error]
    for spec in specs:
        version = promotions.in_force.get(spec.name)
        for one in [version, *promotions.earlier(spec.name)] if version is not None else []:
            try:
                family = registry.load(spec.name, one)
                _check(registry, spec, one, family.definition)
            except ModelError as error:
                errors.append(error)
                continue
            families[spec.name], versions[spec.name] = family, one
            break
    return ModelSet(families, versions), errors


def _check(registry: Registry, spec: FeatureSpec, version: str, definition: str) -> None:
    if definition != spec.definition:
        path = registry.root / spec.name / version / CARD
        raise ModelError(str(path), "it learned other features, by another version of this program; train again")
