"""All that a store holds, made once from lists and then only read: entries, what they say, and their indexes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.intel.arrays import Arrays, flattened, unflattened
from guardray.intel.categories import CATEGORIES, TRUSTED, Category, bit
from guardray.intel.entries import Entries, ThreatList
from guardray.intel.facts import Facts, interned, stacked
from guardray.intel.index import Index, v6_ranges
from guardray.intel.ranges import Addresses
from guardray.intel.scopes import Scopes

LAYOUT = 1
"""Of the arrays: a file with another is not read."""

ValueKind = Literal["address", "domain"]

UInt32s = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Ranges:
    """Ranges of addresses by the number of their entry, in the order of the lists, and the numbers of their facts."""

    first: Addresses
    last: Addresses
    facts: UInt32s


@dataclass(frozen=True, eq=False)
class Values:
    """The entries of all lists: of domains, whose names their index has, the numbers of the facts."""

    v4: Ranges
    v6: Ranges
    domain_facts: UInt32s


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is no array.

    Attributes:
        digests: by category.
        held: bit mask of the categories of addresses, and of domains.
    """

    layout: int
    version: str
    lists: tuple[ThreatList, ...]
    digests: dict[Category, str]
    held: dict[ValueKind, int]


@dataclass(frozen=True, eq=False)
class Content:
    """Entries, facts and indexes: `everyone` of the lists without a scope, `circles` of those of each circle."""

    about: About
    scopes: Scopes
    values: Values
    facts: Facts
    everyone: Index
    circles: tuple[Index, ...]

    @classmethod
    def build(cls, lists: Sequence[tuple[ThreatList, Entries]]) -> Content:
        """From lists and their entries.

        Raises:
            UsageError: an entry has a category that there is none of.
        """
        frames = [stacked(kind, lists).with_row_index("entry") for kind in ("v4", "v6", "domains")]
        facts, (v4_facts, v6_facts, domain_facts) = interned(frames)
        threat_lists = tuple(threat_list for threat_list, _ in lists)
        scopes = Scopes.of(threat_lists)
        everyone = [number for number, threat_list in enumerate(threat_lists) if threat_list.scope is None]
        v4, v6, _ = frames
        content = cls(
            About(
                layout=LAYOUT,
                version="",
                lists=threat_lists,
                digests=_digests(frames, threat_lists),
                held={"address": _held(*frames[:2]), "domain": _held(frames[2])},
            ),
            scopes,
            Values(
                Ranges(v4["first"].to_numpy(), v4["last"].to_numpy(), v4_facts),
                Ranges(*v6_ranges(v6), v6_facts),
                domain_facts,
            ),
            facts,
            _index(frames, everyone, with_blocks=True),
            tuple(_index(frames, circle, with_blocks=False) for circle in scopes.lists),
        )
        return content._versioned()

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], about: bytes) -> Content:
        """The reverse of `arrays` and `about`.

        Raises:
            msgspec.MsgspecError: `about` has another form.
            ValueError: the arrays have another layout.
        """
        told = msgspec.json.decode(about, type=About)
        if told.layout != LAYOUT:
            raise ValueError(f"layout {told.layout}, not {LAYOUT}")
        scopes = Scopes.of(told.lists)
        return cls(
            told,
            scopes,
            unflattened(Values, arrays, "values"),
            unflattened(Facts, arrays, "facts"),
            unflattened(Index, arrays, "everyone"),
            tuple(unflattened(Index, arrays, f"circle_{number}") for number in range(len(scopes.lists))),
        )

    def arrays(self) -> Arrays:
        """All arrays, by name."""
        named = {"values": self.values, "facts": self.facts, "everyone": self.everyone}
        named |= {f"circle_{number}": index for number, index in enumerate(self.circles)}
        return {way: array for name, part in named.items() for way, array in flattened(part, name).items()}

    def _versioned(self) -> Content:
        """The same with its version; from here on, nobody can change an array."""
        digest = hashlib.blake2b(_json(self.about), digest_size=16)
        for name, array in self.arrays().items():
            array.flags.writeable = False
            digest.update(f"{name}:{array.dtype}:{len(array)}".encode())
            digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        about = msgspec.structs.replace(self.about, version=digest.hexdigest())
        return Content(about, self.scopes, self.values, self.facts, self.everyone, self.circles)


def _json(about: About) -> bytes:
    return msgspec.json.encode(about, order="deterministic")


def _index(frames: Sequence[pl.DataFrame], lists: Sequence[int], *, with_blocks: bool) -> Index:
    return Index.build(*(frame.filter(pl.col("list").is_in(lists)) for frame in frames), with_blocks=with_blocks)


def _held(*frames: pl.DataFrame) -> int:
    return sum({mask for frame in frames for mask in frame["mask"].unique()})


def _digests(frames: Sequence[pl.DataFrame], lists: Sequence[ThreatList]) -> dict[Category, str]:
    """For each category, what decides which rows match it: values, expiry and scope of its entries.

    Trusted entries decide too, so they are in the digest of every category.
    """
    scopes = [None if one.scope is None else str(sorted(one.scope)) for one in lists]
    scope = pl.col("list").replace_strict(range(len(lists)), scopes, return_dtype=pl.String).alias("scope")
    said = [
        frame.select(pl.exclude("list", "entry", "code", "threat_name", "confidence"), scope).unique()
        for frame in frames
    ]
    ordered = [frame.sort(frame.columns) for frame in said]
    trusted = _digest(ordered, TRUSTED)
    held = _held(*frames)
    return {
        category: _digest(ordered if held & bit(category) else (), bit(category), trusted) for category in CATEGORIES
    }


def _digest(frames: Sequence[pl.DataFrame], mask: int, trusted: str = "") -> str:
    entries = hashlib.blake2b(trusted.encode(), digest_size=16)
    for frame in frames:
        entries.update(frame.filter(pl.col("mask") == mask).write_csv().encode())
    return entries.hexdigest()
