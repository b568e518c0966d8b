"""Programs that move: a role that does its usual work from a place that the account has never seen.

Runners of a pipeline get a new network and, as their image is new as well, a new client, and go on with what they did.
Each of these is news, together they are one change. Whoever steals credentials does other things than their owner, or
the owner works on elsewhere. People move as well, but do not do the same every day; roles of people are left out.

A thief who does what the role does, as often as it does, and only once the role has stopped, is taken for a move.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.behaviour import CONSOLES, FAMILIAR_DAYS, IS_ELSEWHERE, IS_ESTABLISHED, IS_FAMILIAR, PRINCIPAL

MOVED_OPERATIONS = 5
"""Familiar operations from the new place. Thieves ask for two or three things that everybody asks for."""

MOVED_SHARE = 0.75
"""Of the operations from the new place, how many are familiar. A deployment adds some; a thief's are mostly new."""

MOVED_CALLS = 20
"""Calls for objects from the new place below which it cannot be said whether they are as many as usual."""

_DAY = (*PRINCIPAL, "window_start")
_THERE = IS_ELSEWHERE.fill_null(False)
_OPERATION = pl.concat_str("api_service_name", "api_operation", separator=":")

IS_MACHINE = (
    (pl.col("actor_user_type") == "AssumedRole")
    & ~pl.col("http_request_user_agent_family").is_in(CONSOLES)
    & ~pl.col("actor_user_name").str.starts_with("AWSReservedSSO_").fill_null(False)
).fill_null(False)
"""A role that no person has taken in the console or by IAM Identity Center."""

_ALL_THERE = _OPERATION.filter(_THERE).n_unique().over(_DAY)
_FAMILIAR_THERE = _OPERATION.filter(_THERE & IS_FAMILIAR).n_unique().over(_DAY)

DOES_ITS_WORK = (
    IS_ESTABLISHED
    & IS_MACHINE
    & _THERE
    & (_FAMILIAR_THERE >= MOVED_OPERATIONS)
    & (_FAMILIAR_THERE >= MOVED_SHARE * _ALL_THERE)
)
"""Management calls from a new place, nearly all of which the role has long been making."""

_LAST_HERE = pl.col("last_seen").filter(~_THERE).max().over(_DAY)
_FIRST_THERE = pl.col("first_seen").filter(_THERE).min().over(_DAY)
_CALLS_THERE = pl.col("calls").filter(_THERE).sum()


def uses_as_ever(is_many: pl.Expr) -> pl.Expr:
    """Calls for objects from a new place, all of them what the role has long been doing, and as much of it.

    At its usual place it has stopped by then.

    Args:
        is_many: where it is more than usual.
    """
    familiar = IS_FAMILIAR & (pl.col("principal_bucket_days") >= FAMILIAR_DAYS) & ~is_many
    is_enough = (_CALLS_THERE.over(*_DAY, "api_operation") >= pl.col("volume_median") / 2).fill_null(False)
    every = (familiar & is_enough).filter(_THERE).all().over(_DAY)
    return (
        IS_ESTABLISHED
        & IS_MACHINE
        & _THERE
        & every
        & (_CALLS_THERE.over(_DAY) >= MOVED_CALLS)
        & (_LAST_HERE <= _FIRST_THERE).fill_null(True)
    )
