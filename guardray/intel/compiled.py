"""From lists, wherever they lie, to one store of indicators, which is only built where it was not before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from guardray import __version__
from guardray.intel.categories import Category
from guardray.intel.entries import Entries, Scope, ThreatList
from guardray.intel.store import IndicatorStore
from guardray.intel.versions import Versions

WORTH_KEEPING = 20_000
"""Entries from which on a store of a single run is kept: fewer are parsed about as fast as a store is opened."""


@dataclass(frozen=True, kw_only=True)
class ListSource:
    """A list that is not read yet.

    Attributes:
        key: what decides the entries: the digest of the content and how it is to be read.
        read: the entries. Raises ValueError with the reason where there are none.
    """

    name: str
    category: Category
    threat_name: str | None = None
    scope: Scope | None = None
    key: tuple[str, ...]
    read: Callable[[], Entries]

    def described(self, entries: Entries) -> ThreatList:
        """What the store says of the list."""
        return ThreatList(self.name, self.category, self.threat_name, len(entries), entries.skipped, scope=self.scope)


@dataclass(frozen=True)
class Compiled:
    """A store and what it was made of.

    Attributes:
        digest: of all that decides what is in the store, without the lists that had to be left out.
        left_out: names of lists, and why each was.
        not_kept: why it could not be written, where it was to be.
    """

    store: IndicatorStore
    digest: str
    left_out: tuple[tuple[str, str], ...] = ()
    not_kept: str | None = None


def compiled(sources: Sequence[ListSource], versions: Versions, *, least: int | None = None) -> Compiled:
    """One store of all lists: one that was kept, or else a new one, kept where it has at least so many entries
    (`WORTH_KEEPING` if not given)."""
    digest = _digest(sources)
    found = versions.find(digest)
    if found is not None:
        return Compiled(found, digest)
    lists, left_out = [], []
    for source in sources:
        try:
            entries = source.read()
        except (OSError, ValueError) as error:
            left_out.append((source, str(error)))
        else:
            lists.append((source.described(entries), entries))
    store = IndicatorStore(lists)
    if left_out:
        digest = _digest([source for source in sources if source not in [left for left, _ in left_out]])
    is_worth_it = sum(len(entries) for _, entries in lists) >= (WORTH_KEEPING if least is None else least)
    not_kept = _not_kept(versions, digest, store) if is_worth_it else None
    told = tuple((source.name, reason) for source, reason in left_out)
    return Compiled(store, digest, told, not_kept)


def _not_kept(versions: Versions, digest: str, store: IndicatorStore) -> str | None:
    """Keeps the store; the reason where that cannot be done."""
    try:
        versions.keep(digest, store)
    except OSError as error:
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return None


def _digest(sources: Sequence[ListSource]) -> str:
    parts = [
        (source.name, source.category, source.threat_name, sorted(source.scope or ()), source.scope is None, source.key)
        for source in sources
    ]
    return hashlib.sha256(msgspec.json.encode([_program(), parts])).hexdigest()[:32]


@cache
def _program() -> str:
    """What decides how lists are read: a store that another program made of the same lists may differ."""
    code = hashlib.sha256(__version__.encode())
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        code.update(file.read_bytes())
    return code.hexdigest()
