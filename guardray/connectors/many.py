"""Several sources as one: queues of many Regions, buckets and folders, none of which holds up the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from guardray.connectors.positions import checked, labelled
from guardray.connectors.problems import Problems
from guardray.connectors.source import Arrival, ContinuousSource, Failure, Lag, Position, Problem, Receipt
from guardray.errors import SourceError, UsageError

KIND = "many"

_Call = Callable[[ContinuousSource, list[Receipt]], None]


class ManySources:
    """A `ContinuousSource` of others.

    Args:
        sources: each with a name of its own, by which a position finds it again.

    Raises:
        UsageError: two are the same.
    """

    def __init__(self, sources: Sequence[ContinuousSource]) -> None:
        self._sources = {source.name: source for source in sources}
        if len(self._sources) < len(sources):
            names = [source.name for source in sources]
            raise UsageError(f"named twice as sources: {sorted({name for name in names if names.count(name) > 1})}")
        self._by_index = list(self._sources.values())
        self._pool = ThreadPoolExecutor(max(len(sources), 1))
        self._problems = Problems()
        self._problem_counts: Counter[str] = Counter()
        self._next = 0

    @property
    def name(self) -> str:
        return ", ".join(self._sources)

    @property
    def comes_again(self) -> timedelta:
        return max((source.comes_again for source in self._by_index), default=timedelta(0))

    def poll(self, limit: int) -> list[Arrival]:
        """Arrivals of all sources, as many of each as there are; what one does not need, the others get."""
        arrivals: list[Arrival] = []
        asked = self._in_turn()
        while asked and len(arrivals) < limit:
            share, more = divmod(limit - len(arrivals), len(asked))
            shares = {index: share + (place < more) for place, index in enumerate(asked) if share or place < more}
            polled = self._pool.map(self._poll, shares.keys(), shares.values())
            found = dict(zip(shares, polled, strict=True))
            arrivals += [arrival for of_one in found.values() for arrival in of_one]
            asked = [index for index, of_one in found.items() if len(of_one) >= shares[index]]
        return arrivals

    def position(self, done: Iterable[Receipt] = ()) -> Position:
        own = self._by_source(done)
        sources = {source.name: source.position(own[index]) for index, source in enumerate(self._by_index)}
        return labelled(KIND, {"sources": sources})

    def restore(self, position: Position) -> None:
        """As each source does; one that has no position yet starts anew, and that of one that is gone is told of."""
        positions = checked(position, KIND, self.name)["sources"]
        for name, of_one in positions.items():
            if name in self._sources:
                self._sources[name].restore(of_one)
            else:
                self._problems.add(name, "is no source any more: how far it was read is forgotten")

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        self._pass_on(receipts, lambda source, own: source.acknowledge(own))

    def renew(self, receipts: Iterable[Receipt]) -> None:
        self._pass_on(receipts, lambda source, own: source.renew(own))

    def release(self, receipts: Iterable[Receipt], failure: Failure) -> None:
        self._pass_on(receipts, lambda source, own: source.release(own, failure))

    def lag(self, done: Collection[Receipt] = ()) -> Lag:
        return sum(self.lags(done).values(), Lag())

    def lags(self, done: Collection[Receipt] = ()) -> Mapping[str, Lag]:
        """How far behind each source is once these receipts are done, by name."""
        own = self._by_source(done)
        lags = self._pool.map(lambda index: self._by_index[index].lag(set(own[index])), range(len(self._by_index)))
        return dict(zip(self._sources, lags, strict=True))

    def source_of(self, receipt: Receipt) -> str:
        """The name of the source that gave an arrival."""
        return self._by_index[int(receipt.partition(" ")[0])].name

    def problems(self) -> list[Problem]:
        found = self._problems.drain()
        for name, source in self._sources.items():
            of_one = source.problems()
            self._problem_counts[name] += sum(problem.count for problem in of_one)
            found += of_one
        return found

    @property
    def problem_counts(self) -> Mapping[str, int]:
        """How often `problems` told of each source, by name; 0 for a source that it never told of."""
        return self._problem_counts

    def close(self) -> None:
        self._pool.shutdown()
        for source in self._by_index:
            source.close()

    def _in_turn(self) -> list[int]:
        """All sources, beginning with another one each time: where the limit is small, each is the first in turn."""
        count = len(self._by_index)
        order = [(self._next + place) % count for place in range(count)]
        self._next = (self._next + 1) % max(count, 1)
        return order

    def _poll(self, index: int, limit: int) -> list[Arrival]:
        try:
            arrivals = self._by_index[index].poll(limit)
        except SourceError as error:
            self._problems.add(error.url, error.reason)
            self._problem_counts[self._by_index[index].name] += 1
            return []
        return [replace(arrival, receipt=f"{index} {arrival.receipt}") for arrival in arrivals]

    def _pass_on(self, receipts: Iterable[Receipt], call: _Call) -> None:
        own = [
            (source, receipts)
            for source, receipts in zip(self._by_index, self._by_source(receipts), strict=True)
            if receipts
        ]
        for _ in self._pool.map(lambda pair: call(*pair), own):
            pass

    def _by_source(self, receipts: Iterable[Receipt]) -> list[list[Receipt]]:
        own: list[list[Receipt]] = [[] for _ in self._by_index]
        for receipt in receipts:
            index, _, receipt_of_one = receipt.partition(" ")
            own[int(index)].append(receipt_of_one)
        return own
