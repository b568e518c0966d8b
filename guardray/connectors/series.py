"""One prefix that is listed again and again, without requests and without a network: what to ask for, what is new.

Keys in AWS's layouts sort by day, so a pass starts at the first day that may still get an object and not at the first
one there is. Objects that were delivered late sort before others that are done: a pass looks at all of the last days,
and those that are done are known by digest. Where the last days take several pages, most passes start after the
greatest key instead, and one through the last days comes between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from guardray.connectors.discovery import Place
from guardray.connectors.seen import SeenObjects, digest_of
from guardray.sources.aws_keys import KeyFilter, key_facts
from guardray.sources.s3 import Page, StoredObject

_DATED = (
    (re.compile(r"\d{4}/\d\d/\d\d/"), "%Y/%m/%d"),
    (re.compile(r"year=\d{4}/month=\d\d/day=\d\d/"), "year=%Y/month=%m/day=%d"),
    (re.compile(r"eventDay=\d{8}/"), "eventDay=%Y%m%d"),
)
"""How folders of days are written: plainly, as Hive partitions, and by Security Lake."""


@dataclass(frozen=True)
class Found:
    """A new object in a listing."""

    stored: StoredObject
    day: date
    digest: int


@dataclass(frozen=True)
class Cadence:
    """How often to list.

    Args:
        interval: between passes through a prefix that gets objects.
        quiet_interval: between passes through one that has long had none. Passes become rarer up to this.
        late_interval: between passes through the last days where those take several pages.
        late_days: how many days before the newest one still get objects.
    """

    interval: timedelta = timedelta(seconds=30)
    quiet_interval: timedelta = timedelta(minutes=5)
    late_interval: timedelta = timedelta(minutes=5)
    late_days: int = 2

    def next_interval(self, last: timedelta, found_new: bool) -> timedelta:
        """How long to wait after a pass, from how long was waited before it."""
        return self.interval if found_new else min(last * 1.5, self.quiet_interval)


class Series:
    """What is known of one prefix.

    Args:
        place: where.
        seen: what is done there.
        key_filter: rules out objects by their keys.
        cadence: how often to list.
        date_format: how the folders of days are written there, if that is known.
    """

    def __init__(
        self,
        place: Place,
        seen: SeenObjects,
        key_filter: KeyFilter,
        cadence: Cadence,
        date_format: str | None = None,
    ) -> None:
        self.place = place
        self.seen = seen
        self.open: dict[int, date] = {}
        """Digests and days of objects that were listed and are not done."""
        self.due = datetime.min.replace(tzinfo=UTC)
        self._key_filter = key_filter
        self._cadence = cadence
        self._interval = cadence.interval
        self.date_format = date_format
        self._has_learned = date_format is not None
        self._newest: date | None = None
        self._greatest_key = ""
        self._last_days_at: datetime | None = None
        """When a pass through all of the last days was complete that took several pages."""
        self._is_last_days = True
        self._token: str | None = None
        self._pages = 0
        self._found_new = False

    @property
    def needs_sample(self) -> bool:
        """Whether one key has to be seen before a day can be named to start at."""
        return self.seen.floor is not None and self.place.below and not self._has_learned

    def learn(self, key: str) -> None:
        """See how days are written in one of the keys."""
        rest = key.removeprefix(self.place.prefix)
        self.date_format = next((form for pattern, form in _DATED if pattern.match(rest)), None)
        self._has_learned = True

    def next_request(self, now: datetime) -> tuple[str | None, str | None]:
        """The greatest key to leave out, and the token of the page before: each None where it is not to be sent."""
        if self._token is not None:
            return None, self._token
        self._is_last_days = self._last_days_at is None or now - self._last_days_at >= self._cadence.late_interval
        return (self._start_of_last_days() if self._is_last_days else self._greatest_key), None

    def on_page(self, page: Page, now: datetime) -> list[Found]:
        """The new objects of a page; after the last page, plans the next pass."""
        found = [new for stored in page.objects if (new := self._if_new(stored, now)) is not None]
        if page.objects:
            if self.date_format is None:
                self.learn(page.objects[0].key)
            self._greatest_key = max(self._greatest_key, page.objects[-1].key)
        self._found_new |= bool(found)
        self._pages += 1
        self._token = page.token
        if page.token is None:
            self._end_pass(now)
        return found

    def give_up(self, now: datetime) -> None:
        """A request failed: start the pass anew, after a while."""
        self._token, self._pages = None, 0
        self._interval = self._cadence.next_interval(self._interval, found_new=False)
        self.due = now + self._interval

    def done(self, digest: int) -> None:
        """Note that an object is done."""
        day = self.open.pop(digest, None)
        if day is not None:
            self.seen.add(day, digest)

    def _start_of_last_days(self) -> str | None:
        if self.seen.floor is None or self.date_format is None or not self.place.below:
            return None
        # The day's folder without its slash: greater than all keys of the day before, less than all of this one.
        return self.place.prefix + self.seen.floor.strftime(self.date_format)

    def _if_new(self, stored: StoredObject, now: datetime) -> Found | None:
        if stored.key.endswith("/") or not key_facts(stored.key).may_match(self._key_filter):
            return None
        day = _day_of(stored)
        if day <= now.date():
            # A date in the future, in a key that anybody may have written, must not make the present look late.
            self._newest = max(self._newest or day, day)
        digest = digest_of(stored.key, stored.etag)
        if digest in self.open or self.seen.has(day, digest):
            return None
        self.open[digest] = day
        return Found(stored, day, digest)

    def _end_pass(self, now: datetime) -> None:
        if self._is_last_days:
            self._last_days_at = now if self._pages > 1 else None
            self._raise_floor()
        self._interval = self._cadence.next_interval(self._interval, self._found_new)
        self.due = now + self._interval
        self._pages, self._found_new = 0, False

    def _raise_floor(self) -> None:
        """All of the last days was looked at, so what is older than they are is done, but for what is still open."""
        if self._newest is not None:
            floor = self._newest - timedelta(days=self._cadence.late_days)
            self.seen.raise_floor(min([floor, *self.open.values()]))


def _day_of(stored: StoredObject) -> date:
    """By the folder, which is what listings sort by; where that tells no day, when the object was written."""
    facts = key_facts(stored.key.rpartition("/")[0] + "/")
    return facts.time.date() if facts.time and facts.is_day_known else stored.modified.astimezone(UTC).date()
