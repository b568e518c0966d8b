"""From rows of the archive to the models of a family: what is learned, how scores are spread, where thresholds are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.models.archive import FLAGGED
from guardray.models.catalogue import make
from guardray.models.extremes import threshold
from guardray.models.family import AccountModel, Family
from guardray.models.feedback import NOT_USEFUL, USEFUL
from guardray.models.fitted import Fitted
from guardray.models.model import Matrix, Vector, as_matrix
from guardray.models.policy import Policy
from guardray.models.robust import Robust

FOLDS = 3
"""Days are dealt into so many hands, and each is scored by models that learned the others only: what a model has
learned is less unusual to it than what will come."""

LEAST_THRESHOLD = 1.0
"""No threshold is lower: a third of all rows that are new in any way are as unusual."""

MOST_RAISED = 1.5
"""Findings that were not useful raise a threshold by at most this factor, so that nobody can talk it out of reach."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Material:
    """Rows to learn from, in the archive's order, as arrays of one length.

    Attributes:
        features: [n, features].
        accounts, whose: whose they are, and `days`: of which day, as ordinals.
        learned: which of them models learn.
        is_dulled: of which only counts that there was a peak, not how high it was: a finding told of them, and nobody
            has said that it was wrong.
        is_usual: a finding about them was not useful.
    """

    features: Matrix
    accounts: npt.NDArray[np.object_]
    whose: npt.NDArray[np.object_]
    days: npt.NDArray[np.int64]
    learned: Mask
    is_dulled: Mask
    is_usual: Mask

    @classmethod
    def of(cls, rows: pl.DataFrame, names: tuple[str, ...], policy: Policy) -> Material:
        """Of marked rows (`feedback.marked`), without those of useful findings."""
        kept = rows.filter(~pl.col(USEFUL))
        usual, flagged = kept[NOT_USEFUL].to_numpy(), kept[FLAGGED].to_numpy()
        features = as_matrix(kept.select(names).to_numpy())
        accounts = kept["account"].to_numpy()
        dulled = flagged & ~usual
        return cls(
            features=features,
            accounts=accounts,
            whose=kept["whose"].to_numpy(),
            days=kept["day"].to_physical().cast(pl.Int64).to_numpy(),
            learned=~dulled & ~_highest(features, accounts, ~dulled, policy.trimmed),
            is_dulled=dulled,
            is_usual=usual,
        )

    def of_fold(self, fold: int) -> Mask:
        dealt: Mask = self.days % FOLDS == fold
        return dealt


def _highest(features: Matrix, accounts: npt.NDArray[np.object_], among: Mask, share: float) -> Mask:
    """The most unusual rows of each account, by the simple baseline: this share of them."""
    highest = np.zeros(len(features), np.bool_)
    if not among.any():
        return highest
    scores = Robust().fit(features[among]).score(features)
    for account in np.unique(accounts):
        at = np.flatnonzero((accounts == account) & among)
        many = int(len(at) * share)
        if many:
            highest[at[np.argsort(-scores[at], kind="stable")[:many]]] = True
    return highest


def learn(
    spec: FeatureSpec, material: Material, history: Mapping[str, int], policy: Policy, budget: float, prior: Matrix
) -> Family | None:
    """The models of a family.

    Args:
        history: days of history by account.
        budget: findings of one account and week, of this family.
        prior: rows of features that come with the program, [n, features].

    Returns:
        None where there is nothing at all to learn from.
    """
    whole = _models(material, material.learned, history, policy, prior)
    if whole is None:
        return None
    common, own = whole
    family = Family(spec.name, spec.definition, spec.names, common)
    by_common, blended = _scores(material, history, policy, prior, whole)
    enough = [account for account, days in history.items() if days >= policy.least_days]
    rate = budget / 7
    every = _drawn(material, np.isin(material.accounts, enough), by_common, sum(history[one] for one in enough), rate)
    family.otherwise = AccountModel(None, 0.0, every, 0, 0) if every is not None else None
    accounts: dict[str, AccountModel] = {}
    for account in enough:
        at = material.accounts == account
        days, weight = history[account], AccountModel.weight_of(history[account])
        drawn = _drawn(material, at, blended, days, rate)
        one = _between(drawn, every, weight)
        if one is not None:
            accounts[account] = AccountModel(own.get(account), weight, one, days, int((at & material.learned).sum()))
    family.accounts = accounts
    return family


def _between(own: float | None, common: float | None, weight: float) -> float | None:
    """An account's threshold, between its own and that of all."""
    if own is None or common is None:
        return own if common is None else common
    return float(own**weight * common ** (1 - weight))


def _models(
    material: Material, learned: Mask, history: Mapping[str, int], policy: Policy, prior: Matrix
) -> tuple[Fitted, dict[str, Fitted]] | None:
    """The common model and those of accounts with enough rows, of the rows that are learned."""
    by_account = {account: np.flatnonzero(learned & (material.accounts == account)) for account in history}
    room = max(policy.common_rows // max(len(by_account), 1), policy.least_rows)
    chosen = [_thinned(at, room) for at in by_account.values()]
    common = np.concatenate([prior, *(material.features[at] for at in chosen)])
    if not len(common):
        return None
    own = {
        account: Fitted.of(make(policy.model, policy.seed), material.features[_thinned(at, policy.account_rows)])
        for account, at in by_account.items()
        if len(at) >= policy.least_rows and history[account] >= policy.least_days
    }
    return Fitted.of(make(policy.model, policy.seed), common), own


def _thinned(at: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """At most so many of them, evenly over all."""
    if len(at) <= most:
        return at
    return at[np.linspace(0, len(at) - 1, most).round().astype(np.int64)]


def _scores(
    material: Material,
    history: Mapping[str, int],
    policy: Policy,
    prior: Matrix,
    whole: tuple[Fitted, dict[str, Fitted]],
) -> tuple[Vector, Vector]:
    """Surprisals of all rows, by models that did not learn their days: of the common one, and blended with the own."""
    by_common, blended = np.zeros(len(material.days)), np.zeros(len(material.days))
    for fold in range(FOLDS):
        held = material.of_fold(fold)
        if not held.any():
            continue
        models = _models(material, material.learned & ~held, history, policy, prior) or whole
        common, own = models
        by_common[held] = common.surprisal(material.features[held])
        blended[held] = by_common[held]
        for account, fitted in own.items():
            at = held & (material.accounts == account)
            weight = AccountModel.weight_of(history[account])
            blended[at] = weight * fitted.surprisal(material.features[at]) + (1 - weight) * by_common[at]
    return by_common, blended


def _drawn(material: Material, at: Mask, surprisals: Vector, days: float, rate: float) -> float | None:
    """The threshold for a rate of findings a day; None: too little was seen."""
    peaks, is_dulled, is_usual = _peaks(material, at, surprisals)
    if not len(peaks) or not days:
        return None
    plain = peaks[~is_dulled]
    limit = plain.max() if len(plain) else peaks.min()
    dulled = np.where(is_dulled, np.minimum(peaks, limit), peaks)
    found = threshold(dulled, days, rate)
    if found is None:
        return None
    drawn = max(found, LEAST_THRESHOLD)
    raised = peaks[is_usual].max(initial=0.0) * 1.01
    return float(min(max(drawn, raised), drawn * MOST_RAISED))


def _peaks(material: Material, at: Mask, surprisals: Vector) -> tuple[Vector, Mask, Mask]:
    """The highest surprisal of each principal and day, and whether that row is dulled or usual."""
    rows = pl.DataFrame(
        {
            "account": material.accounts[at],
            "whose": material.whose[at],
            "day": material.days[at],
            "surprisal": surprisals[at],
            "dulled": material.is_dulled[at],
            "usual": material.is_usual[at],
        },
        schema_overrides={"account": pl.String, "whose": pl.String},
    )
    highest = pl.all().sort_by("surprisal", descending=True).first()
    peaks = rows.group_by("account", "whose", "day", maintain_order=True).agg(highest)
    return peaks["surprisal"].to_numpy(), peaks["dulled"].to_numpy(), peaks["usual"].to_numpy()


def days_of_history(rows: pl.DataFrame, watched: Mapping[str, date], until: date) -> dict[str, int]:
    """How many days each account with rows has been watched for, up to the last one.

    Args:
        watched: the first day of which anything is known, by account: days without rows are quiet days.
    """
    first = rows.group_by("account").agg(pl.col("day").min()).sort("account")
    return {account: (until - min(day, watched.get(account, day))).days + 1 for account, day in first.iter_rows()}
