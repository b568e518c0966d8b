"""The models of one kind of rows: one of all accounts together, and one of each account that has a history.

An account's own model and the common one are weighed by how long the account has been watched, so that what is common
fades as history grows. The account's threshold is drawn on the sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from guardray.models.fitted import Fitted
from guardray.models.model import Matrix, Vector, as_matrix

FADE_DAYS = 14
"""Days of history after which an account's own model weighs as much as the common one."""


@dataclass(eq=False)
class AccountModel:
    """What is usual in one account.

    Attributes:
        own: has learned the account's rows; None: too few of them.
        weight: of the own model, 0 to 1; the common one has the rest.
        threshold: surprisal from which on a row is told of.
        days: of history, also those without rows.
        rows: that it learned from.
    """

    own: Fitted | None
    weight: float
    threshold: float
    days: int
    rows: int

    @staticmethod
    def weight_of(days: int) -> float:
        """What an own model of so many days of history weighs."""
        return days / (days + FADE_DAYS)


@dataclass(eq=False)
class Family:
    """The models of one spec.

    Attributes:
        spec: the name of the spec.
        definition: of the spec that they learned with.
        features: names, in the order of the columns.
        common: has learned the rows of all accounts, and what comes with the program.
        accounts: by account id.
        otherwise: for accounts that have no model of their own; None: nothing is said of them.
    """

    spec: str
    definition: str
    features: tuple[str, ...]
    common: Fitted
    accounts: Mapping[str, AccountModel] = field(default_factory=dict)
    otherwise: AccountModel | None = None

    def of(self, account: str) -> AccountModel | None:
        """The model of an account; None where nothing can be said of it."""
        return self.accounts.get(account, self.otherwise)

    def surprisal(self, one: AccountModel, features: Matrix) -> Vector:
        """How unusual rows of an account are, on the common scale: float64 [n]."""
        rows = as_matrix(features)
        common = self.common.surprisal(rows)
        if one.own is None or one.weight == 0:
            return common
        return one.weight * one.own.surprisal(rows) + (1 - one.weight) * common

    def anomaly(self, one: AccountModel, features: Matrix) -> Vector:
        """Surprisal as a share of the account's threshold: from 1 on a row is told of."""
        return np.round(self.surprisal(one, features) / one.threshold, 6)

    def contributions(self, one: AccountModel, features: Matrix) -> Matrix:
        """Which share each feature has in it: [n, features], each row sums to 1."""
        rows = as_matrix(features)
        common = self.common.model.contributions(rows)
        if one.own is None or one.weight == 0:
            return common
        return one.weight * one.own.model.contributions(rows) + (1 - one.weight) * common
