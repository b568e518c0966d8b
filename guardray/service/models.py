"""Which models an epoch is scored with, and models of any version: a replayed epoch takes those of its first time."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.errors import ModelError
from guardray.models.registry import Registry
from guardray.models.scorer import NO_MODELS, LocalScorer, ModelSet
from guardray.service.logging import get_logger

Versions = Mapping[str, str]
"""The version of the model of each spec, by the spec's name. A spec without one is judged by its points alone."""

KEPT = 16
"""Models in memory: those in force of all specs, and of a few promotions before."""

Ask = Callable[[FeatureSpec, str, pl.DataFrame], pl.DataFrame]
"""Scores rows by a version of a spec's model: what `guardray.models.scorer.Scorer` gives. Raises ModelError."""

_HASH = "_hash"

_UNSCORED = LocalScorer(ModelSet({}, {}))


class ModelsInForce:
    """The versions that a registry has in force, as far as they can be used.

    Args:
        registry: is looked at again whenever it is asked.
        specs: of this program; a model that learned other features is passed over.
        tell: is given what is wrong, each time that something else is.
    """

    def __init__(self, registry: Registry, specs: Iterable[FeatureSpec], tell: Callable[[str], None]) -> None:
        self._registry, self._specs, self._tell = registry, tuple(specs), tell
        self._seen: object = None
        """What is in force, and how its files are: while both are the same, so is what can be used."""
        self._usable: dict[str, str] = {}
        self._told = ""

    def current(self) -> Versions:
        """What to score the next epoch with. Where the registry cannot be read, what was in force stays so."""
        try:
            promotions = self._registry.promotions()
        except (ModelError, OSError) as error:
            self._tell_once(str(error))
            return self._usable
        in_force = promotions.in_force
        if self._state(in_force) != self._seen:
            stacks = {name: [version, *promotions.earlier(name)] for name, version in in_force.items()}
            found = {spec.name: self._usable_of(spec, stacks.get(spec.name, ())) for spec in self._specs}
            self._usable = {name: version for name, version in found.items() if version is not None}
            self._seen = self._state(in_force)
        return self._usable

    def _state(self, in_force: Versions) -> object:
        versions = {*in_force.items(), *self._usable.items()}
        return in_force, {(name, version): self._registry.stamp(name, version) for name, version in versions}

    def _usable_of(self, spec: FeatureSpec, versions: Iterable[str]) -> str | None:
        """The first of the versions that can be used."""
        for version in versions:
            try:
                self._check(spec, version)
            except ModelError as error:
                self._tell_once(str(error))
                continue
            return version
        return None

    def _check(self, spec: FeatureSpec, version: str) -> None:
        if self._registry.verify(spec.name, version).definition != spec.definition:
            place = str(self._registry.root / spec.name / version)
            raise ModelError(place, "it learned other features, by another version of this program; train again")

    def _tell_once(self, problem: str) -> None:
        if problem != self._told:
            self._told = problem
            self._tell(problem)


class LoadedModels:
    """Models of any version, each loaded when it is first asked for.

    Args:
        kept: so many stay in memory, those that were asked for last.
    """

    def __init__(self, registry: Registry, kept: int = KEPT) -> None:
        self._registry, self._kept = registry, kept
        self._scorers: OrderedDict[tuple[str, str], LocalScorer] = OrderedDict()

    def load(self, name: str, version: str) -> LocalScorer:
        """What scores by a version of a spec's model; where that cannot be used, by the last good one before it.

        Raises:
            ModelError: it is missing, damaged or was changed, and so are those before.
        """
        try:
            return self._loaded(name, version)
        except ModelError as error:
            for earlier in self._before(name, version):
                with suppress(ModelError):
                    scorer = self._loaded(name, earlier)
                    told = {"spec": name, "version": version, "instead": earlier, "reason": str(error)}
                    get_logger("guardray.models").warning("model passed over", **told)
                    return scorer
            raise

    def _before(self, name: str, version: str) -> list[str]:
        """Versions that were in force before this one, the latest first; none where it was never in force itself."""
        try:
            promotions = self._registry.promotions()
        except ModelError:
            return []
        if version not in {one.version for one in promotions.history if one.family == name}:
            return []
        stack = [promotions.in_force[name], *promotions.earlier(name)]
        return stack[stack.index(version) + 1 :] if version in stack else stack

    def _loaded(self, name: str, version: str) -> LocalScorer:
        key = name, version
        if key not in self._scorers:
            family = self._registry.load(name, version)
            self._scorers[key] = LocalScorer(ModelSet({name: family}, {name: version}))
            while len(self._scorers) > self._kept:
                self._scorers.popitem(last=False)
        self._scorers.move_to_end(key)
        return self._scorers[key]

    def score(self, spec: FeatureSpec, version: str, rows: pl.DataFrame) -> pl.DataFrame:
        """See `Ask`."""
        return self.load(spec.name, version).score(spec, rows)


class EpochScorer:
    """A `Scorer` whose versions are those of the epoch that is at work.

    Rows that were scored before are not asked for again while they are as they were: a score depends on its row alone.
    A model that cannot be loaded any more is told of in the log, and its rows are judged by their points alone.

    Args:
        ask: has the models.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._versions: dict[str, str] = {}
        self._known: dict[str, pl.DataFrame] = {}
        """Of each spec, the scores of the rows that were asked for last, by a hash of all that they depend on."""

    def use(self, versions: Versions) -> None:
        """Score with these from now on."""
        if self._versions != versions:
            self._versions = dict(versions)
            self._known.clear()

    @property
    def version(self) -> str:
        """Of all of them together: 12 hexadecimal digits, or `none`."""
        if not self._versions:
            return NO_MODELS
        named = "\n".join(f"{name} {version}" for name, version in sorted(self._versions.items()))
        return hashlib.blake2b(named.encode(), digest_size=6).hexdigest()

    def score(self, spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
        version = self._versions.get(spec.name)
        if version is None or rows.is_empty():
            return _UNSCORED.score(spec, rows)
        try:
            return self._scored(spec, version, rows)
        except ModelError as error:
            get_logger("guardray.models").warning("model lost", spec=spec.name, version=version, reason=str(error))
            return _UNSCORED.score(spec, rows)

    def _scored(self, spec: FeatureSpec, version: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Asks for those rows alone that are not as they were. An open day is looked at in each epoch, and grows by few
        rows in one."""
        hashed = rows.select(spec.whose[0], *spec.names).hash_rows().alias(_HASH).to_frame()
        known = self._known.get(spec.name)
        unknown = hashed.unique(maintain_order=True) if known is None else hashed.unique().join(known, _HASH, "anti")
        if unknown.height:
            new = rows.with_columns(hashed[_HASH]).join(unknown, _HASH, "semi").unique(_HASH)
            scores = self._ask(spec, version, new.drop(_HASH)).with_columns(new[_HASH])
            known = scores if known is None else pl.concat([known, scores])
        assert known is not None  # rows are not empty
        kept = self._known[spec.name] = known.join(hashed, _HASH, "semi")
        return hashed.join(kept, _HASH, "left", maintain_order="left").drop(_HASH)
