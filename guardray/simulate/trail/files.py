"""CloudTrail files: events reach them 5 to 15 minutes late and in no order."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.simulate.layout import Output, cloudtrail_key
from guardray.simulate.trail.templates import Templates, render
from guardray.simulate.world import Account

INTERVAL_S = 300
EARLIEST_S, LATEST_S = 300, 900
EVENTS_PER_RENDER = 50_000


def write_calls(
    output: Output,
    account: Account,
    found: pl.DataFrame,
    templates: Templates,
    rng: np.random.Generator,
    interval_s: int = INTERVAL_S,
) -> None:
    """Render these calls and write them by Region and time of delivery."""
    table = templates.frame()
    delivered = found["time"].to_numpy() + rng.uniform(EARLIEST_S, LATEST_S, len(found))
    planned = found.with_columns(
        delivered=pl.Series(np.ceil(delivered / interval_s) * interval_s),
        region=table["region"].gather(found["template"]),
        order=pl.Series(rng.random(len(found))),
    ).sort("delivered", "region", "order")
    for piece in planned.iter_slices(EVENTS_PER_RENDER):
        texts = piece.select("region", "delivered").with_columns(text=render(piece, table, rng))
        for (region, time), file in texts.group_by("region", "delivered", maintain_order=True):
            key = cloudtrail_key(account.id, str(region), float(time), rng)
            output.write_gzip("cloudtrail", key, trail_document(file["text"]), len(file))


def trail_document(events: pl.Series) -> bytes:
    """A CloudTrail file's text around these events."""
    return b'{"Records":[' + ",".join(events).encode() + b"]}"
