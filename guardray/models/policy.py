"""How models are trained, and when a new one takes the place of the one in force."""

from __future__ import annotations

from dataclasses import dataclass

from guardray.models.catalogue import DEFAULT, SEED


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Numbers of training; each may be changed.

    Attributes:
        model: by name, as in the catalogue.
        budget: findings that may be wrong, of one account and week, of all families together.
        window_days: days that are learned from, up to the last one.
        least_days, least_rows: history from which on an account has a threshold and a model of its own. A week has
            every day of the week once, and detectors are silent for as long.
        account_rows, common_rows: rows that are learned at most: of one account, and of all.
        trimmed: share of each account's rows, the most unusual ones, that models do not learn: among them are attacks
            that nobody knows of. Thresholds do count them.
        back_test_days: the last days, which a trial model does not learn and is tried on; where history is short, a
            third of it.
        injected: anomalies that a trial is shown.
        seed: of what is drawn at random.
        by_hand: whether a person promotes, as with the service: models find a little more than rules, and tell of more
            that is harmless.
        most_findings: of the budget: up to so many findings in the back-test, beside chance, a version is put in
            force by itself.
        least_recall: share of injected anomalies that it has to find for that.
        worse: how much less it may find than the version in force.
    """

    model: str = DEFAULT
    budget: float = 1.0
    window_days: int = 56
    least_days: int = 7
    least_rows: int = 40
    account_rows: int = 4_000
    common_rows: int = 20_000
    trimmed: float = 0.01
    back_test_days: int = 7
    injected: int = 400
    seed: int = SEED
    by_hand: bool = True
    most_findings: float = 2.0
    least_recall: float = 0.5
    worse: float = 0.05
