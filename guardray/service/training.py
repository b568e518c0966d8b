"""When models are trained, and what becomes of it: by archive and registry alone, so that nothing is to be remembered.

A training is due when a spec has enough history and no model, when the last one is old, and when an account has
drifted. What it comes to is kept as a version; whether it is put in force is the policy's to say. One that fails
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from guardray.detectors.features import FeatureSpec
from guardray.errors import ModelError, StoreError
from guardray.models.archive import Archive
from guardray.models.drift import drift
from guardray.models.policy import Policy
from guardray.models.registry import Registry
from guardray.models.shadow import shadow
from guardray.models.surge import roll_back_on_surge
from guardray.models.training import keep, live_family, train
from guardray.service.feedback import Feedback

NOT_TRAINED = "not trained"


def has_failed(told: str) -> bool:
    """Whether a line of `Training.run` tells of a training that failed."""
    return NOT_TRAINED in told.split(": ")


class Training:
    """One service's.

    Args:
        archive: what there is to learn from.
        registry: where versions are kept.
        specs: that are trained.
        policy: how, and when a version is put in force by itself.
        every: event time between two trainings of a spec, where nothing has changed.
        keep_days: for how long rows stay in the archive.
        feedback: what was told of, and what people said of it; None: nobody knows.
    """

    def __init__(
        self,
        archive: Archive,
        registry: Registry,
        specs: Sequence[FeatureSpec],
        policy: Policy,
        *,
        every: timedelta = timedelta(days=7),
        keep_days: int = 90,
        feedback: Feedback | None = None,
    ) -> None:
        self._archive, self._registry, self._specs, self._policy = archive, registry, tuple(specs), policy
        self._every, self._keep_days, self._feedback = every, keep_days, feedback

    def latest(self) -> dict[str, str]:
        """The last day that the archive has of each spec: while it is the same, nothing can have become due."""
        days = {spec.name: self._archive.days(spec) for spec in self._specs}
        return {name: found[-1].isoformat() for name, found in days.items() if found}

    def run(self, at: datetime, *, is_asked: bool = False) -> list[str]:
        """Roll back what tells of too much, and train what is due, or all if asked.

        Says in a line each what was done, why, and what came of it.

        Args:
            at: the time of day, for the history of promotions.
        """
        told = []
        for spec in self._specs:
            days = self._archive.days(spec)
            if not days:
                continue
            try:
                told += [f"{spec.name}: {line}" for line in self._of(spec, days, at, is_asked)]
            except (ModelError, StoreError) as error:  # what is in force stays
                told.append(f"{spec.name}: {NOT_TRAINED}: {error}")
        self._trim()
        return told

    def _of(self, spec: FeatureSpec, days: Sequence[date], at: datetime, is_asked: bool) -> Iterator[str]:
        if (surge := self._surge(spec, days, at)) is not None:
            yield surge
        reason = "it was asked for" if is_asked else self._due(spec, days)
        if reason is not None:
            yield f"{reason}; {self._trained(spec, days[-1], at)}"
        elif (beside := shadow(self._registry, self._archive, spec)) is not None:
            yield str(beside)

    def _surge(self, spec: FeatureSpec, days: Sequence[date], at: datetime) -> str | None:
        """Rolls back the version in force where it tells of far too much, and says so."""
        if self._feedback is None or (since := self._judged_since(spec, days[-1])) is None:
            return None
        first, promoted = since
        findings = self._feedback.told(spec, first, promoted)
        accounts, judged = len(self._archive.accounts(spec)), (days[-1] - first).days + 1
        done = roll_back_on_surge(self._registry, spec.name, findings, accounts=accounts, days=judged, at=at)
        return None if done is None else f"{done.before} is in force no more, {done.version} is again: {done.reason}"

    def _judged_since(self, spec: FeatureSpec, last: date) -> tuple[date, datetime] | None:
        """The first day that the version in force has judged, and when it was put in force; None: there is none yet.

        Where logs are of long ago, days have nothing to do with that time: then it is the first that it did not learn.
        """
        of = [one for one in self._registry.promotions().history if one.family == spec.name]
        if not of:
            return None
        promoted = datetime.fromisoformat(of[-1].at)
        unseen = date.fromisoformat(self._registry.card(spec.name, of[-1].version).until) + timedelta(days=1)
        first = max(unseen, promoted.date()) if promoted.date() <= last else unseen
        return (first, promoted) if first <= last else None

    def _due(self, spec: FeatureSpec, days: Sequence[date]) -> str | None:
        """Why a spec is to be trained; None: it need not be."""
        until = days[-1]
        last = self._last(spec)
        if last is None:
            enough = self._policy.least_days + self._policy.back_test_days
            return f"there are {len(days)} days to learn from" if len(days) >= enough else None
        if until - last >= self._every:
            return f"the last training was {(until - last).days} days ago"
        return self._drifted(spec, last, until) if until > last else None

    def _last(self, spec: FeatureSpec) -> date | None:
        """The last day that any version of this definition learned."""
        cards, _ = self._registry.cards(spec.name)
        ends = [date.fromisoformat(card.until) for card in cards if card.definition == spec.definition]
        return max(ends, default=None)

    def _drifted(self, spec: FeatureSpec, last: date, until: date) -> str | None:
        family = live_family(self._registry, spec)
        if family is None:
            return None
        learned = self._archive.read(spec, since=last - timedelta(days=self._policy.window_days - 1), until=last)
        recent = self._archive.read(spec, since=last + timedelta(days=1), until=until)
        found = [one for one in drift(family, spec, learned, recent) if one.is_drifted]
        if not found:
            return None
        most = max(found, key=lambda one: one.worst[1])
        feature, index = most.worst
        return f"{len(found)} accounts have drifted, {most.account} most, by {feature} (index {index:.2f})"

    def _trained(self, spec: FeatureSpec, until: date, at: datetime) -> str:
        live = live_family(self._registry, spec)
        since = until - timedelta(days=self._policy.window_days)
        marks = [] if self._feedback is None else self._feedback.marks(spec, since)
        candidate = train(
            self._archive,
            spec,
            self._policy,
            until=until,
            families=len(self._specs),
            marks=marks,
            live=live,
        )
        if candidate is None:
            return "there was nothing to learn"
        is_in_force = keep(self._registry, candidate, self._policy, at=at)
        reasons = "; ".join(candidate.verdict.reasons)
        days = "1 principal's day" if len(marks) == 1 else f"{len(marks):,} principals' days"
        said = f", with what was said of {days}" if marks else ""
        return f"{candidate.card.version} {'is in force' if is_in_force else 'waits for a person'}{said}: {reasons}"

    def _trim(self) -> None:
        ends = [days[-1] for spec in self._specs if (days := self._archive.days(spec))]
        if ends:
            self._archive.keep_latest(max(ends), self._keep_days)
