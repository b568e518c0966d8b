"""What models see of an instance's connections to the internet: how rare port and network are, and how much it sends.

Judged by the instance's own days. What other instances of the account do is not looked at: what is learned of one stays
on the shard that owns it.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.ec2.outbound import (
    ACTIVITY,
    IS_LEARNED,
    LARGE_RECORD_BYTES,
    OUTSIDE_AWS,
    OWNER,
    USUAL_PORTS,
)
from guardray.detectors.features import Feature, FeatureSpec, day_beside

_ODD_HOUR = "an hour of the week at which it is hardly active"

MOST_BITS, MOST_DEVIATIONS = 20.0, 50.0
"""What features are cut at; beyond, one is as odd as the other."""

BY_CHANCE = 1 / 64
"""How likely an instance uses a port or network of which nothing is known, on a day."""

DAYS_OF_CHANCE = 1.0
"""So many days that chance counts for."""

FAR_DEVIATIONS = 3.5
"""From which a day's numbers are worth a look where port and network are known: where outliers usually begin."""

NEW_HOST_DAYS = 2
"""Earlier days on which a host that is new may have had data already: as many as `sent_max_before` leaves out."""


def _bits(habit: str) -> pl.Expr:
    likely = (pl.col(f"{habit}_weight") + DAYS_OF_CHANCE * BY_CHANCE) / (pl.col(f"{habit}_total") + DAYS_OF_CHANCE)
    return -likely.log(2)


def _deviation(name: str, level: str, words: str) -> Feature:
    return Feature(name, pl.col(f"{level}_z"), "deviations", words, most=MOST_DEVIATIONS, beside=day_beside(level))


_IS_LARGE = pl.col("largest_record") >= LARGE_RECORD_BYTES
_OCTAVES = ((pl.col("to_host_today") + 1) / (pl.col("sent_max").fill_null(0) + 1)).log(2)

_IS_NEW_PORT = ~pl.col("remote_port").is_in(USUAL_PORTS) & (pl.col("port_days") == 0)
_GOES_ON = (pl.col("to_host_history") <= NEW_HOST_DAYS) & (pl.col("to_host_today") > pl.col("sent_max_before"))
_IS_MUCH = _IS_LARGE & ((_OCTAVES > 0) | _GOES_ON.fill_null(False))
_IS_FAR = pl.any_horizontal(pl.col(f"{level}_z") >= FAR_DEVIATIONS for level in ("hosts_a_day", "ports_a_day"))

SPEC = FeatureSpec(
    name="outbound-traffic",
    activity=ACTIVITY,
    candidates=IS_LEARNED
    & OUTSIDE_AWS
    & pl.col("remote_port").is_not_null()
    & (_IS_NEW_PORT | _IS_MUCH.fill_null(False) | _IS_FAR.fill_null(False)),
    whose=OWNER,
    features=(
        Feature("port", _bits("port"), "bits", "a server port that it hardly uses", most=MOST_BITS),
        Feature("network", _bits("remote"), "bits", "a network that it hardly connects to", most=MOST_BITS),
        Feature("hour", pl.col("active_bits"), "bits", _ODD_HOUR, most=MOST_BITS),
        _deviation("sent", "sent", "more bytes sent than on other days"),
        Feature(
            "to_host",
            pl.when(_IS_LARGE).then(_OCTAVES),
            "octaves",
            "more bytes to one host than it ever sent to all on a day",
            most=MOST_BITS,
        ),
        _deviation("hosts", "hosts_a_day", "more hosts than it connects to on a day"),
        _deviation("ports", "ports_a_day", "more server ports than it connects to on a day"),
    ),
)
"""By whole days of an instance that is known for at least a week."""
