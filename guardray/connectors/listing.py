"""Objects found by listing a bucket: for buckets that tell no queue, and for what was there before they did."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any

from guardray.connectors.discovery import Place, discover
from guardray.connectors.positions import checked, labelled
from guardray.connectors.problems import Problems
from guardray.connectors.retries import Retries
from guardray.connectors.seen import SeenObjects
from guardray.connectors.series import Cadence, Found, Series
from guardray.connectors.source import Arrival, Clock, Failure, Lag, Position, Problem, Receipt, utc_now
from guardray.errors import SourceError
from guardray.sources.aws_keys import LATENESS_SLACK, KeyFilter, key_facts
from guardray.sources.objects import InputObject
from guardray.sources.s3 import Bucket, Page

KIND = "s3"

_MANY = 1_000_000
"""Objects remembered one by one below one prefix from which on the operator is told: they take 8 bytes in each position
and ten times that in memory."""


@dataclass(frozen=True, kw_only=True)
class ListingConfig:
    """How to list a bucket.

    Args:
        bucket: its name.
        prefix: of the keys to list.
        endpoint: of another store that speaks S3's protocol.
        key_filter: objects whose keys rule out that they hold wanted events are passed over. Its `since` is where the
            first listing starts; without it everything there is arrives, oldest day first.
        cadence: how often to list.
        discovery_interval: how often to look for new accounts and Regions.
        listers: requests at once.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    key_filter: KeyFilter = field(default_factory=KeyFilter)
    cadence: Cadence = field(default_factory=Cadence)
    discovery_interval: timedelta = timedelta(minutes=15)
    listers: int = 16


@dataclass(frozen=True)
class _Open:
    """An object that was listed and is not done."""

    series: Series
    found: Found
    arrival: Arrival


class ListingSource:
    """The objects below a prefix of a bucket; a `ContinuousSource`."""

    def __init__(self, config: ListingConfig, clock: Clock = utc_now) -> None:
        self._config = config
        self._clock = clock
        self._bucket = Bucket(config.bucket, config.endpoint)
        self._pool = ThreadPoolExecutor(config.listers)
        self._series: dict[Place, Series] = {}
        self._discovered_at: datetime | None = None
        self._found: deque[Arrival] = deque()
        self._open: dict[Receipt, _Open] = {}
        self._retries = Retries()
        self._problems = Problems()
        self._counting = Lock()
        self.requests = 0
        """Requests for listings so far: S3 charges for each of them."""

    @property
    def name(self) -> str:
        return f"s3://{self._config.bucket}/{self._config.prefix}"

    @property
    def comes_again(self) -> timedelta:
        return timedelta(0)

    def poll(self, limit: int) -> list[Arrival]:
        now = self._clock()
        self._discover(now)
        arrivals = self._retries.due(limit, now)
        while len(arrivals) < limit:
            if not self._found and not self._list_due(now):
                break
            while self._found and len(arrivals) < limit:
                arrivals.append(self._found.popleft())
        return arrivals

    def position(self, done: Iterable[Receipt] = ()) -> Position:
        """What is done below each prefix: a day before which all is, and eight bytes for each object since."""
        more: dict[Place, list[Found]] = {}
        for receipt in done:
            if (listed := self._open.get(receipt)) is not None:
                more.setdefault(listed.series.place, []).append(listed.found)
        series = [
            {
                "prefix": place.prefix,
                "below": place.below,
                "date_format": series.date_format,
                **series.seen.to_json((found.day, found.digest) for found in more.get(place, ())),
            }
            for place, series in sorted(self._series.items())
        ]
        return labelled(KIND, {"bucket": self._config.bucket, "series": series})

    def restore(self, position: Position) -> None:
        checked(position, KIND, self.name)
        self._series = {}
        for kept in position["series"]:
            self._add(Place(kept["prefix"], kept["below"]), SeenObjects.from_json(kept), kept["date_format"])
        self._found.clear()
        self._open.clear()
        self._retries.clear()
        self._discovered_at = None

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        for receipt in receipts:
            listed = self._open.pop(receipt, None)
            if listed is not None:
                listed.series.done(listed.found.digest)
                self._retries.drop(receipt)

    def renew(self, receipts: Iterable[Receipt]) -> None:
        """Nobody else is given what this source has handed out, for as long as it is open."""

    def release(self, receipts: Iterable[Receipt], failure: Failure) -> None:
        now = self._clock()
        for receipt in receipts:
            listed = self._open.get(receipt)
            if listed is None:
                continue
            self._retries.add(listed.arrival, failure, now)
            if failure is Failure.DENIED:
                self._problems.add(f"s3://{self._config.bucket}", "an object may not be read; it is tried again")

    def lag(self, done: Collection[Receipt] = ()) -> Lag:
        """Of what was listed; how much there is below that was not listed yet, nobody knows."""
        modified = [listed.found.stored.modified for receipt, listed in self._open.items() if receipt not in done]
        oldest = min(modified, default=None)
        return Lag(
            backlog=len(modified),
            oldest=None if oldest is None else max(self._clock() - oldest, timedelta()),
        )

    def problems(self) -> list[Problem]:
        return self._problems.drain()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _discover(self, now: datetime) -> None:
        """Look for new accounts and Regions, if it is time.

        Raises:
            SourceError: the bucket does not exist.
        """
        if self._discovered_at is not None and now - self._discovered_at < self._config.discovery_interval:
            return
        self._discovered_at = now
        try:
            places = discover(self._config.prefix, self._config.key_filter, self._page, self._pool)
        except SourceError as error:
            if error.reason == "no such bucket":
                raise
            self._problems.add(error.url, error.reason)
            return
        for place in sorted(places - self._series.keys()):
            self._add(place, SeenObjects(self._first_day()))

    def _add(self, place: Place, seen: SeenObjects, date_format: str | None = None) -> None:
        self._series[place] = Series(place, seen, self._config.key_filter, self._config.cadence, date_format)

    def _first_day(self) -> date | None:
        since = self._config.key_filter.since
        return None if since is None else (since - LATENESS_SLACK).astimezone(UTC).date()

    def _page(self, prefix: str, **options: Any) -> Page:
        with self._counting:
            self.requests += 1
        return self._bucket.page(prefix, **options)

    def _list_due(self, now: datetime) -> bool:
        """List a page of each prefix whose turn it is, as many at once as there are listers; whether there was one."""
        due = sorted((series for series in self._series.values() if series.due <= now), key=lambda series: series.due)
        turn = due[: self._config.listers]
        for series, listed in zip(turn, self._pool.map(lambda series: self._list(series, now), turn), strict=True):
            if isinstance(listed, SourceError):
                self._problems.add(listed.url, listed.reason)
                series.give_up(now)
            else:
                self._take(series, series.on_page(listed, now), now)
        return bool(turn)

    def _list(self, series: Series, now: datetime) -> Page | SourceError:
        prefix, below = series.place.prefix, series.place.below
        try:
            if series.needs_sample:
                for stored in self._page(prefix, most=1).objects:
                    series.learn(stored.key)
            start_after, token = series.next_request(now)
            return self._page(prefix, start_after=start_after, token=token, below=below)
        except SourceError as error:
            return error

    def _take(self, series: Series, found: Iterable[Found], now: datetime) -> None:
        for new in found:
            facts = key_facts(new.stored.key)
            obj = InputObject(
                url=f"s3://{self._config.bucket}/{new.stored.key}",
                size=new.stored.size,
                key_time=facts.time,
                account_id=facts.account_id,
                region=facts.region,
                written=new.stored.modified,
            )
            arrival = Arrival(object=obj, receipt=f"{new.digest:016x} {series.place.prefix}", seen_at=now)
            self._open[arrival.receipt] = _Open(series, new, arrival)
            self._found.append(arrival)
        if len(series.seen) > _MANY:
            reason = f"more than {_MANY:,} objects in the last days are remembered one by one: name a longer prefix"
            self._problems.add(f"s3://{self._config.bucket}/{series.place.prefix}", reason)
