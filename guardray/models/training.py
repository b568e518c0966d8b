"""Training: from the archive to a candidate, its trial, and the verdict on it.

A candidate learns all days. Its trial is a twin that learned the same but the last days, and is tried on those: so what
is told of it on its card is of days that it had not seen.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import polars as pl

from guardray import __version__
from guardray.detectors.features import FeatureSpec
from guardray.errors import ModelError
from guardray.models.archive import FLAGGED, Archive
from guardray.models.back_test import back_test
from guardray.models.card import BackTest, Card
from guardray.models.family import Family
from guardray.models.feedback import NOT_USEFUL, USEFUL, Mark, marked
from guardray.models.learning import Material, days_of_history, learn
from guardray.models.policy import Policy
from guardray.models.prior import prior_rows
from guardray.models.registry import Registry

LEAST_SHARE = 0.1
"""Of the budget of all families together, what one has at least, however few its rows are."""

TRAINER = "trainer"
"""Who promotes what is promoted by itself."""


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate may take the place of the version in force, and why, or why not."""

    is_good: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """A family that has learned, its card, and the verdict on it."""

    family: Family
    card: Card
    verdict: Verdict


def train(
    archive: Archive,
    spec: FeatureSpec,
    policy: Policy,
    *,
    until: date,
    families: int = 1,
    marks: Sequence[Mark] = (),
    live: Family | None = None,
) -> Candidate | None:
    """A candidate of what the archive has. The same archive, policy and marks give the same.

    Args:
        until: the last day that it learns.
        families: how many share the budget, each as its rows are many among those of all; alone it has the whole.
        marks: what was said of findings.
        live: the family in force, which the candidate is measured by.

    Returns:
        None where there are no rows to learn.
    """
    since = until - timedelta(days=policy.window_days - 1)
    rows = marked(archive.read(spec, since=since, until=until), marks)
    if rows.is_empty():
        return None
    budget = policy.budget * (1.0 if families == 1 else max(archive.share(spec), LEAST_SHARE))
    watched = {account: max(day, since) for account, day in archive.watched_since().items()}
    lesson = _Lesson(spec, policy, budget, watched)
    family = lesson.learned(rows, until)
    if family is None:
        return None
    tried, of_live = lesson.trials(rows, until, live)
    digest = _digest_of(rows)
    first: date = rows["day"].min()  # type: ignore[assignment]
    card = Card(
        family=spec.name,
        version=_version(spec, policy, budget, until, digest),
        model=policy.model,
        definition=spec.definition,
        features=spec.names,
        since=first.isoformat(),
        until=until.isoformat(),
        accounts=len(family.accounts),
        rows=rows.height,
        days=sum(days_of_history(rows, watched, until).values()),
        left_out=int((rows[USEFUL] | (rows[FLAGGED] & ~rows[NOT_USEFUL])).sum()),
        budget=budget,
        back_test=tried,
        archive=digest,
        code=__version__,
    )
    return Candidate(family, card, verdict(tried, of_live, policy, budget))


def keep(registry: Registry, candidate: Candidate, policy: Policy, *, at: datetime) -> bool:
    """Keep a candidate as a version, and put it in force where the policy lets that happen by itself.

    Returns:
        Whether it is in force; otherwise it waits for a person.

    Raises:
        ModelError: it cannot be written; what is in force stays.
    """
    card = registry.add(candidate.family, candidate.card)
    if policy.by_hand or not candidate.verdict.is_good:
        return False
    if registry.promotions().in_force.get(card.family) != card.version:
        registry.promote(card.family, card.version, at=at, by=TRAINER, reason="; ".join(candidate.verdict.reasons))
    return True


def live_family(registry: Registry, spec: FeatureSpec) -> Family | None:
    """The family of a spec that is in force; None where there is none that can be used."""
    try:
        version = registry.promotions().in_force.get(spec.name)
        family = registry.load(spec.name, version) if version is not None else None
    except ModelError:
        return None  # whoever loads the models in force says what is wrong with it
    return family if family is not None and family.definition == spec.definition else None


def verdict(tried: BackTest | None, live: BackTest | None, policy: Policy, budget: float) -> Verdict:
    """Whether a candidate that did so may take the place of one in force that did so."""
    if tried is None:
        return Verdict(False, ("there is too little history to try it on",))
    against = []
    limit = policy.most_findings * budget
    weeks = tried.accounts * tried.days / 7
    if tried.findings_per_account_week * weeks > limit * weeks + 2 * math.sqrt(limit * weeks):  # beyond chance
        told = f"{tried.findings_per_account_week:.2f} findings an account and week"
        against.append(f"{told} in the back-test, where at most {limit:.2f} are allowed")
    if tried.recall is not None and tried.recall < policy.least_recall:
        against.append(f"it finds {tried.recall:.0%} of injected anomalies, where {policy.least_recall:.0%} are asked")
    if live is not None and (tried.recall or 0.0) < (live.recall or 0.0) - policy.worse:
        against.append(
            f"it finds {tried.recall or 0:.0%} of injected anomalies, the version in force {live.recall:.0%}"
        )
    return Verdict(not against, tuple(against) or ("it did well in the back-test",))


@dataclass(frozen=True)
class _Lesson:
    """What a candidate and its twin have in common."""

    spec: FeatureSpec
    policy: Policy
    budget: float
    watched: Mapping[str, date]

    def learned(self, rows: pl.DataFrame, until: date, least_days: int | None = None) -> Family | None:
        policy = self.policy if least_days is None else replace(self.policy, least_days=least_days)
        material = Material.of(rows, self.spec.names, policy)
        history = days_of_history(rows, self.watched, until)
        return learn(self.spec, material, history, policy, self.budget, prior_rows(self.spec))

    def trials(self, rows: pl.DataFrame, until: date, live: Family | None) -> tuple[BackTest | None, BackTest | None]:
        """How the candidate's twin and the family in force do on the last days: a third of the history at most."""
        history = max(days_of_history(rows, self.watched, until).values())
        days = min(self.policy.back_test_days, history // 3)
        last = until - timedelta(days=days)
        # What was flagged and is not known to be wrong may be an attack: no false positive.
        usual = rows.filter((pl.col("day") > last) & ~pl.col(USEFUL) & (~pl.col(FLAGGED) | pl.col(NOT_USEFUL)))
        twin = self.learned(rows.filter(pl.col("day") <= last), last, min(self.policy.least_days, history - days))
        if not days or twin is None or (not twin.accounts and twin.otherwise is None):
            return None, None
        tried, of_live = (
            None
            if one is None
            else back_test(one, self.spec, usual, days=days, injected=self.policy.injected, seed=self.policy.seed)
            for one in (twin, live)
        )
        return tried, of_live


def _digest_of(rows: pl.DataFrame) -> str:
    """Of the rows that are learned and what was said of them: 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    for column in rows:
        values = column.cast(pl.String) if not column.dtype.is_float() else column
        data = values.to_numpy().tobytes() if values.dtype != pl.String else "\x00".join(values.fill_null("")).encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _version(spec: FeatureSpec, policy: Policy, budget: float, until: date, digest: str) -> str:
    made_of = repr((spec.definition, policy, budget, until, digest, __version__))
    return f"{until:%Y%m%d}-{hashlib.blake2b(made_of.encode(), digest_size=5).hexdigest()}"
