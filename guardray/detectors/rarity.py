"""What models see of a caller's calls: how rare each part is, and how far a day is from other days.

How rare a value is comes in bits, minus the binary logarithm of how likely a day of a principal has it: at three
levels, each smoothed by the one above. A principal of whom little is known is as its peers are, and these as the
account is. So what is new to somebody has some five bits where colleagues do it daily and fifteen where nobody did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from guardray.detectors.activity import Level, Rhythm
from guardray.detectors.behaviour import (
    HISTORY_DAYS,
    IS_DENIED,
    IS_ELSEWHERE,
    IS_ESTABLISHED,
    PRINCIPAL,
    Part,
    crowd,
)
from guardray.detectors.features import Feature, day_beside
from guardray.detectors.tactics import Tactic, tactic

MOST_BITS = 20.0
"""One day in a million: more than an account can know."""

BY_CHANCE = 1 / 16
"""How likely a principal does a thing of which nothing is known, on a day."""

DAYS_OF_CHANCE = 1.0
"""So many days of a principal what is known one level above counts for."""

NEWS_DAYS = 14
"""For so long after it was first seen a value is news, less from day to day. Where less is known, for half as long as
anything is."""

ALL_NEWS_SHARE = 0.5
"""Where as many others do the same on the day, it is no news of anybody's."""

MOST_DEVIATIONS = 50.0
"""What deviations are cut at: beyond, one is as odd as the other."""

RHYTHM_LEAST_DAYS = 5
"""Days of a principal before its hours are odd or not: a working week."""

FAR_BITS = 4.0
"""From which an operation is one that the peers do not call: fewer than one of 16 on a day."""

SENSITIVITIES: Mapping[Tactic, float] = {
    "CredentialAccess": 1.0,
    "DefenseEvasion": 1.0,
    "PrivilegeEscalation": 1.0,
    "Exfiltration": 0.9,
    "InitialAccess": 0.8,
    "Impact": 0.6,
    "Persistence": 0.6,
    "Discovery": 0.2,
}
"""What an API is worth to an attacker, by the tactic that it serves: our judgement. What deletes or creates is the
daily work of many, and what reads of nearly all."""

_ABOVE = {"principal": "peers", "peers": "account"}

_WORDS = {
    "account": "{} that hardly anybody in the account has",
    "peers": "{} that hardly any of its peers has",
    "principal": "{} that it hardly has itself",
}

_DAY = (*PRINCIPAL, "window_start")


def rarities(parts: Iterable[Part]) -> tuple[Feature, ...]:
    """How rare each part of a call is, at each level: `principal_operation`, `peers_operation`, ..., in bits."""
    return tuple(
        Feature(
            f"{who}_{part.name}",
            bits(part, who),
            "bits",
            _WORDS[who].format(_a(part.words.removesuffix(" AS"))),
            most=MOST_BITS,
        )
        for part in parts
        for who in part.levels
    )


def bits(part: Part, who: str) -> pl.Expr:
    """How rare a part's value is for the account, the peers or the principal; null where it is not told.

    What many others do on the same day is as likely as they are many, whatever was before.
    """
    likely = _likely(part, who)
    if part.crowd is not None:
        likely = pl.when(crowd(part) > likely).then(crowd(part)).otherwise(likely)
    return -likely.log(2)


def _likely(part: Part, who: str) -> pl.Expr:
    above = _ABOVE.get(who)
    while above is not None and above not in part.levels:
        above = _ABOVE.get(above)
    prior = pl.lit(BY_CHANCE) if above is None else _likely(part, above)
    weight, total = pl.col(f"{who}_{part.name}_weight"), pl.col(f"{who}_{part.name}_total")
    return (weight + DAYS_OF_CHANCE * prior) / (total + DAYS_OF_CHANCE)


def _a(words: str) -> str:
    """With its article, as sentences need it."""
    return f"{'an' if words[0] in 'AEIOaeio' else 'a'} {words}"


def novelty(part: Part, who: str) -> pl.Expr:
    """How new a value is: 1 where it was never seen, less the longer ago it was first seen, and the more others begin
    with it on the same day; 0 where it is not told."""
    known = pl.min_horizontal(pl.lit(NEWS_DAYS), pl.col(f"{who}_{part.name}_history") / 2).clip(1)
    fading = (1 - pl.col(f"{who}_{part.name}_age") / known).clip(0)
    is_told = pl.col(f"{who}_{part.name}_days").is_not_null()
    alone = (1 - crowd(part) / ALL_NEWS_SHARE).clip(0)
    return pl.when(is_told).then(fading.fill_null(1.0) * alone).otherwise(0.0)


def novelties(parts: Sequence[Part]) -> tuple[Feature, ...]:
    """How much of a call is news, in parts: to the account, and to a principal that has habits of its own."""

    def news(who: str) -> pl.Expr:
        return pl.sum_horizontal(novelty(part, who) for part in parts if who in part.levels)

    most = float(len(parts))
    return (
        Feature("new_to_account", news("account"), "parts", "several things that are new to the account", most=most),
        Feature(
            "new_to_principal",
            pl.when(IS_ESTABLISHED).then(news("principal")),
            "parts",
            "several things that are new to it",
            most=most,
        ),
    )


RHYTHMS = {"hours": Rhythm(PRINCIPAL, "hours")}

LEVELS = {
    "calls_a_day": Level(PRINCIPAL, "calls"),
    "operations_a_day": Level(PRINCIPAL, pl.col("api_operation").drop_nulls().n_unique()),
    "denied_a_day": Level(PRINCIPAL, pl.col("calls").filter(IS_DENIED).sum()),
}
"""How busy a principal is."""

PLACE = Feature(
    "elsewhere",
    IS_ELSEWHERE.cast(pl.Float64),
    "0 or 1",
    "a place from which nobody in the account has been at work",
    most=1.0,
)

HOUR = Feature(
    "hour",
    pl.when(pl.col("hours_history") >= RHYTHM_LEAST_DAYS).then("hours_bits"),
    "bits",
    "an hour of the week at which it is hardly active",
    most=MOST_BITS,
)


def deviation(name: str, level: str, words: str) -> Feature:
    """How far a day's number is above its usual ones, of those that have a week of their own."""
    value = pl.when(pl.col(f"{level}_history") >= HISTORY_DAYS).then(f"{level}_z")
    return Feature(name, value, "deviations", words, most=MOST_DEVIATIONS, beside=day_beside(level))


BURSTS = (
    deviation("calls", "calls_a_day", "more calls than it makes on a day"),
    deviation("operations", "operations_a_day", "more different operations than it calls on a day"),
    deviation("denials", "denied_a_day", "more calls that were denied than on other days"),
)


def new_operations(operation: Part) -> Feature:
    """How many operations of the day are new to the principal, or to the account where that is new itself."""
    count = pl.col("api_operation").filter(_is_new_to_it(operation).fill_null(False)).n_unique().over(_DAY)
    return Feature(
        "new_operations", (count + 1).log(2), "octaves", "many operations at once that it never called", most=MOST_BITS
    )


def _never(who: str, part: Part) -> pl.Expr:
    return pl.col(f"{who}_{part.name}_days") == 0


def is_new(part: Part) -> pl.Expr:
    """Whether a value was never seen in the account, or never with a principal that has habits; null where not told."""
    return _never("account", part) | (IS_ESTABLISHED & _never("principal", part))


def sensitivity(operation: Part) -> Feature:
    """What the tactic of a new operation is worth, less the longer ago it was new."""
    news = pl.when(IS_ESTABLISHED).then(novelty(operation, "principal")).otherwise(novelty(operation, "account"))
    return Feature("sensitivity", _worth() * news, "share", "a new operation that serves attackers", most=1.0)


ENDS: tuple[Tactic, ...] = (
    "CredentialAccess",
    "DefenseEvasion",
    "Exfiltration",
    "InitialAccess",
    "Persistence",
    "PrivilegeEscalation",
)
"""Tactics of which somebody at work serves one or two, with what is new: whoever tidies up deletes, whoever builds
creates. Discovery and impact are not among them, since much of both is work."""

ENDS_BITS = 10.0
"""How rare in the account an operation is that counts whole among `ends`: one day of a principal in a thousand."""

STRANGE_BITS = 8.0
"""So many bits of a place or program weigh as much as a whole end."""


def serves_an_end(operation: Part) -> pl.Expr:
    """Whether a row's operation serves attackers and is new to the principal, or to the account where that is new."""
    return (_is_new_to_it(operation) & tactic().is_in(ENDS)).fill_null(False)


def _is_new_to_it(operation: Part) -> pl.Expr:
    return pl.when(IS_ESTABLISHED).then(_never("principal", operation)).otherwise(_never("account", operation))


def served_ends(operation: Part) -> pl.Expr:
    """How many ends of attackers the day's new operations serve, each by its rarest and most telling one.

    Somebody who takes over an account looks for secrets, for rights, for a way to stay and to remain unseen.
    """
    worth = (bits(operation, "account") / ENDS_BITS).clip(0, 1) * _worth()
    is_new, purpose = serves_an_end(operation), tactic()
    served = [worth.filter(is_new & (purpose == end)).max().over(_DAY).fill_null(0.0) for end in ENDS]
    return pl.sum_horizontal(served)


def takeover(operation: Part, places: Sequence[Part], program: Part) -> pl.Expr:
    """What a row with a new operation that serves attackers tells of somebody else being at work, in ends; else 0.

    The ends that are served on the day, and how rare the place is in the account and the program with the principal.
    """
    place = pl.max_horizontal(bits(part, "account").fill_null(0.0) for part in places).clip(0, MOST_BITS)
    agent = bits(program, "principal").fill_null(0.0).clip(0, MOST_BITS)
    return (
        pl.when(serves_an_end(operation)).then(served_ends(operation) + (place + agent) / STRANGE_BITS).otherwise(0.0)
    )


def ends(operation: Part) -> Feature:
    """`served_ends` as a feature."""
    words = "new operations that serve several ends of attackers"
    return Feature("ends", served_ends(operation), "ends", words, most=float(len(ENDS)))


def strange_ends(operation: Part, places: Sequence[Part], program: Part) -> Feature:
    """`takeover` as a feature."""
    words = "new operations that serve attackers, with what is strange about place and program"
    most = len(ENDS) + 2 * MOST_BITS / STRANGE_BITS
    return Feature("takeover", takeover(operation, places, program), "ends", words, most=most)


def _worth() -> pl.Expr:
    return tactic().replace_strict(SENSITIVITIES, default=0.0, return_dtype=pl.Float64)


def apart(part: Part) -> Feature:
    """How much of what a principal does on the day its peers do not."""
    value = pl.concat_str(part.columns, separator=":")
    is_far = (bits(part, "peers") >= FAR_BITS).fill_null(False)
    share = value.filter(is_far).n_unique().over(_DAY) / value.n_unique().over(_DAY)
    return Feature("apart", share, "share", f"a day on which it differs from its peers in its {part.words}s", most=1.0)
