"""Where versions of models are kept, and which of them are in force.

A folder: `<family>/<version>/model.skops` and `card.json`, and `promoted.json`, which says what is in force and what
was before. A version is written once and never changed; `promoted.json` is replaced whole. So a training that fails, or
a process that is killed, changes nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from guardray.errors import ModelError, UsageError
from guardray.models.artefact import dumped, loaded
from guardray.models.card import Card, sealed, unsealed
from guardray.models.durable import write_durably
from guardray.models.family import Family
from guardray.models.promotions import Promotion, Promotions

FOLDER = "models"
"""The registry's folder in a data folder or a baseline."""

MODEL, CARD, PROMOTED = "model.skops", "card.json", "promoted.json"

_LOCK, _LOCK_S = ".lock", 30.0


class Registry:
    """Versions of models in a folder, which need not be there yet.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, family: Family, card: Card) -> Card:
        """Keep a version; the same once more is no change.

        Returns:
            The card with its file's checksum and size.

        Raises:
            ModelError: it cannot be written.
        """
        folder = self.root / card.family / card.version
        with self._changing():
            if (folder / CARD).exists():
                return self.card(card.family, card.version)
            data = dumped(family)
            whole = msgspec.structs.replace(card, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
            part = folder.with_name(f".{folder.name}.partial")
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)  # without a card it was never finished
            write_durably(part / MODEL, data)
            write_durably(part / CARD, sealed(whole))
            part.rename(folder)
        return whole

    def cards(self, family: str | None = None) -> tuple[list[Card], list[ModelError]]:
        """The cards of all versions, the latest last, and why others cannot be read."""
        cards, errors = [], []
        for path in sorted(self.root.glob(f"{family or '*'}/*/{CARD}")):
            if path.parent.name.startswith("."):
                continue
            try:
                cards.append(self.card(path.parent.parent.name, path.parent.name))
            except ModelError as error:
                errors.append(error)
        return cards, errors

    def card(self, family: str, version: str) -> Card:
        """The card of a version.

        Raises:
            ModelError: there is none, or it was changed.
        """
        path = self.root / family / version / CARD
        card = unsealed(_read(path), str(path))
        if (card.family, card.version) != (family, version):
            raise ModelError(str(path), f"it is the card of {card.family} {card.version}")
        return card

    def load(self, family: str, version: str) -> Family:
        """The models of a version.

        Raises:
            ModelError: they are missing, damaged, changed, of unknown types, or not those of the card.
        """
        card = self.card(family, version)
        path = self.root / family / version / MODEL
        models = loaded(_checked(path, card), str(path))
        if (models.spec, models.definition) != (card.family, card.definition):
            raise ModelError(str(path), "its models are not those that its card tells of")
        return models

    def verify(self, family: str, version: str) -> Card:
        """The card of a version whose file is what it was written for, without loading it.

        Raises:
            ModelError: one of both is missing, damaged or was changed.
        """
        card = self.card(family, version)
        _checked(self.root / family / version / MODEL, card)
        return card

    def stamp(self, family: str, version: str) -> tuple[tuple[int, int], ...]:
        """When the files of a version were written and how long they are: another where one of them has changed."""
        files = (self.root / family / version / name for name in (MODEL, CARD))
        return tuple((state.st_mtime_ns, state.st_size) for file in files if (state := _state(file)) is not None)

    def promotions(self) -> Promotions:
        """What is in force, and what was before.

        Raises:
            ModelError: that cannot be read, or was changed.
        """
        path = self.root / PROMOTED
        return Promotions.read(path.read_bytes(), str(path)) if path.exists() else Promotions()

    def promote(self, family: str, version: str, *, at: datetime, by: str, reason: str = "") -> Promotion:
        """Put a version in force. It is loaded first, so that what is in force can be used.

        Raises:
            ModelError: it cannot be loaded, or nothing can be written.
        """
        self.load(family, version)
        with self._changing():
            promotions = self.promotions()
            done = promotions.put(family, version, at=at, by=by, reason=reason)
            write_durably(self.root / PROMOTED, promotions.written())
        return done

    def roll_back(self, family: str, *, at: datetime, by: str, reason: str = "") -> Promotion:
        """Put the version in force that was before this one.

        Raises:
            UsageError: there was none before.
            ModelError: it cannot be loaded, or nothing can be written.
        """
        before = self.promotions().before(family)
        if before is None:
            raise UsageError(f"{family}: no other version was in force before")
        return self.promote(family, before, at=at, by=by, reason=reason)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Alone among all processes that change this folder."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with FileLock(self.root / _LOCK, timeout=_LOCK_S):
                yield
        except Timeout as error:
            raise ModelError(str(self.root), "another process has been changing it for half a minute") from error
        except OSError as error:
            raise ModelError(str(self.root), error.strerror or str(error)) from error


def _checked(path: Path, card: Card) -> bytes:
    data = _read(path)
    if len(data) != card.size or hashlib.sha256(data).hexdigest() != card.sha256:
        raise ModelError(str(path), "it is not the file that its card was written for: its checksum is another")
    return data


def _state(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(str(path), "it is missing") from error
    except OSError as error:
        raise ModelError(str(path), error.strerror or str(error)) from error
