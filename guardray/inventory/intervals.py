"""From facts to intervals: which instance an interface belonged to, which interface an address."""

from __future__ import annotations

import polars as pl

from guardray.inventory.facts import BEGINNING
from guardray.inventory.timelines import Timeline

_HOLDER = pl.coalesce("interface_uid", "instance_uid").alias("holder")
"""What has addresses: an interface, or an instance whose interface nobody named."""


def of_kind(facts: pl.DataFrame, *kinds: str) -> pl.DataFrame:
    return facts.filter(pl.col("kind").is_in(kinds))


def networks(facts: pl.DataFrame) -> pl.DataFrame:
    """`holder`, `vpc_uid`, `subnet_uid`: an interface never changes its subnet."""
    named = facts.filter(pl.col("vpc_uid").is_not_null() | pl.col("subnet_uid").is_not_null())
    return named.filter(_HOLDER.is_not_null()).group_by(_HOLDER).agg(pl.col("vpc_uid", "subnet_uid").drop_nulls().min())


def attachments(facts: pl.DataFrame) -> pl.DataFrame:
    """`holder`, `instance_uid`, `start`, `end` (null: open), `is_final`: the interface went with the instance."""
    attached = of_kind(facts, "attached").with_columns(_HOLDER)
    starts = _dated(attached, ["holder", "instance_uid"], "ends_with_instance")
    pair = attached.select("holder", "instance_uid", "link_uid").unique()
    ended = of_kind(facts, "ended").select("instance_uid", "time", is_final=True)
    detached = of_kind(facts, "detached").select("interface_uid", "link_uid", "time")
    gone = of_kind(facts, "deleted").select("interface_uid", "time")
    interfaces = pl.concat([gone, detached.select("interface_uid", "time").drop_nulls()])
    ends = pl.concat(
        [
            pair.join(ended, on="instance_uid"),
            pair.join(interfaces.with_columns(is_final=False), left_on="holder", right_on="interface_uid"),
            pair.join(detached.select("link_uid", "time", is_final=False).drop_nulls(), on="link_uid"),
        ],
        how="diagonal",
    ).select("holder", "instance_uid", "time", "is_final")
    return _closed(starts, ends, ["holder", "instance_uid"]).with_columns(
        is_final=pl.col("is_final") & pl.col("ends_with_instance").fill_null(False)
    )


def addresses(facts: pl.DataFrame, attached: pl.DataFrame) -> pl.DataFrame:
    """`holder`, `private_ip_v4`, `cloud_account_uid`, `cloud_region`, `vpc_uid`, `start`, `end` (null: open)."""
    key = ["holder", "private_ip_v4"]
    assigned = of_kind(facts, "address").filter(pl.col("private_ip_v4").is_not_null()).with_columns(_HOLDER)
    starts = _dated(assigned, key, "cloud_account_uid", "cloud_region")
    gone = of_kind(facts, "deleted").select("time", holder="interface_uid")
    final = attached.filter("is_final", pl.col("end").is_not_null()).select(time="end", holder="holder")
    pair = starts.select(key).unique()
    taken = of_kind(facts, "unassigned").select("private_ip_v4", "time", holder="interface_uid")
    # An address taken away and given back within a second, the precision of CloudTrail, is there after it.
    taken = taken.with_columns(pl.col("time").dt.offset_by("-1us"))
    ends = pl.concat(
        [pair.join(pl.concat([gone, final]), on="holder").select(*key, "time"), taken.select(*key, "time")]
    )
    closed = _closed(starts, ends.with_columns(is_final=True), key).drop("is_final")
    return closed.join(networks(facts).drop("subnet_uid"), on="holder", how="left")


def _dated(facts: pl.DataFrame, key: list[str], *kept: str) -> pl.DataFrame:
    """One row a key and start. Facts without a time give way to those with one."""
    starts = facts.group_by(*key, start="time").agg(pl.col(kept).drop_nulls().min())
    has_time = (pl.col("start") > BEGINNING).any().over(key)
    return starts.filter((pl.col("start") > BEGINNING) | ~has_time)


def _closed(starts: pl.DataFrame, ends: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Each start with the first end of its key that is not before it: `end`, `is_final`."""
    pairs = starts.select(*key, "start").join(ends, on=key).filter(pl.col("time") >= pl.col("start"))
    first = pairs.group_by(*key, "start").agg(
        end=pl.col("time").min(), is_final=pl.col("is_final").filter(pl.col("time") == pl.col("time").min()).any()
    )
    return starts.join(first, on=[*key, "start"], how="left").with_columns(pl.col("is_final").fill_null(False))


def by_region(held: pl.DataFrame) -> pl.DataFrame:
    """Intervals of (account, Region, address) in which exactly one VPC has it; `holder` is null where several do.

    Args:
        held: what `addresses` gives.
    """
    key = ["cloud_account_uid", "cloud_region", "private_ip_v4"]
    network = pl.col("vpc_uid").fill_null("")
    shared = held.filter(network.n_unique().over(key) > 1).with_columns(network)
    alone = held.join(shared.select(key).unique(), on=key, how="anti", nulls_equal=True)
    columns = [*key, "vpc_uid", "holder", "start", "end"]
    return pl.concat([alone.select(columns), _where_one(shared, key).select(columns)])


def _where_one(shared: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Stretches between any two changes, with the holder in force where only one VPC has one."""
    full = [*key, "vpc_uid"]
    timeline = Timeline(shared, full)
    changes = pl.concat([shared.select(*key, time="start"), shared.select(*key, time="end").drop_nulls("time")])
    points = changes.unique().join(shared.select(full).unique(), on=key)
    in_force = points.with_columns(holder=timeline.intervals["holder"].gather(_believed(timeline, points)))
    one = pl.col("holder").drop_nulls()
    found = in_force.group_by(*key, start="time").agg(
        holder=pl.when(one.len() == 1).then(one.first()),
        vpc_uid=pl.when(one.len() == 1).then(pl.col("vpc_uid").filter(pl.col("holder").is_not_null()).first()),
    )
    following = pl.col("start").shift(-1).over(key, order_by="start")
    return found.with_columns(end=following, vpc_uid=pl.col("vpc_uid").replace("", None))


def _believed(timeline: Timeline, points: pl.DataFrame) -> pl.Series:
    """Rows in force, without the grace after an end."""
    rows = timeline.at(points)
    end = timeline.intervals["end"].gather(rows)
    return pl.select(pl.when(end.is_null() | (end > points["time"])).then(rows)).to_series()
