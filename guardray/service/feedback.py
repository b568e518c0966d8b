"""What people said of the findings that models have a part in, as training and roll-backs take it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time

import msgspec
from sqlalchemy import Connection

from guardray.detectors.declare import ActivityDetector, Detector
from guardray.detectors.features import FeatureSpec
from guardray.models.feedback import Mark, whose_of
from guardray.store.database import Database
from guardray.store.opinions import Fields, opinions, told_since


class Feedback:
    """Of one findings store.

    Args:
        store_url: of the findings. It is opened when it is asked, which is after each day, and not before.
        detectors: which tell of rows that models see, among others.
    """

    def __init__(self, store_url: str, detectors: Iterable[Detector]) -> None:
        self._url = store_url
        self._types: dict[str, set[str]] = {}
        for detector in detectors:
            if isinstance(detector, ActivityDetector) and detector.spec is not None:
                self._types.setdefault(detector.spec.name, set()).add(detector.finding_type)

    def marks(self, spec: FeatureSpec, since: date) -> list[Mark]:
        """What was said of findings about rows of a spec, from a day on.

        Raises:
            StoreError: the store refuses.
        """
        with self._reading() as connection:
            told = opinions(connection, self._types.get(spec.name, ()), _midnight(since))
            marks = [_mark(spec, one.row, one.is_useful is True) for one in told]
        return [mark for mark in dict.fromkeys(marks) if mark is not None]

    def told(self, spec: FeatureSpec, since: date, updated: datetime) -> int:
        """Days of principals from `since` on that findings told of, and that nobody found useful.

        Args:
            updated: findings that were not seen from then on do not count.

        Raises:
            StoreError: the store refuses.
        """
        with self._reading() as connection:
            told = told_since(connection, self._types.get(spec.name, ()), _midnight(since), updated)
            days = {_mark(spec, one.row, False) for one in told if one.is_useful is not True}
        return sum(mark is not None and mark.first >= since for mark in days)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        database = Database(self._url)
        try:
            with database.reading() as connection:
                yield connection
        finally:
            database.close()


def _mark(spec: FeatureSpec, row: Fields, is_useful: bool) -> Mark | None:
    """What was said of the principal and day of a row; None where it does not tell them."""
    known = {name: _text(row.get(name)) for name in (*spec.whose, "window_start")}
    account, start = known[spec.whose[0]], known["window_start"]
    if account is None or start is None:
        return None
    day = date.fromisoformat(start[:10])
    return Mark(account, whose_of(spec, known), day, day, is_useful)


def _text(value: msgspec.Raw | None) -> str | None:
    decoded = None if value is None else msgspec.json.decode(value)
    return None if decoded is None else str(decoded)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
