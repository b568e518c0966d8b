"""Facts that say nothing more of the times that are still asked about: of what is gone, and what was said again since.

Instances that come and go, and start and stop, would fill the memory of a service that runs for years.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import polars as pl

from guardray.inventory.facts import FACTS

_SAID_AGAIN = ("interface", "instance", "tagged", "untagged")
"""Kinds whose later facts take the place of earlier ones that have the same members."""

_MEMBERS = "_members"


def compacted(facts: pl.DataFrame, before: datetime) -> pl.DataFrame:
    """The facts without those that no look-up at `before` or later needs.

    What goes are instances and interfaces that ended before and are not mentioned since, with all that was said of
    them, and what was said once more before. What is not known to have ended stays.

    Args:
        facts: in their order, see `guardray.inventory.facts.together`. So they are given back.
    """
    return _without_repeated(_without_gone(facts, before), before)


def _without_gone(facts: pl.DataFrame, before: datetime) -> pl.DataFrame:
    instances = _gone(facts, before, "instance_uid", "ended")
    interfaces = pl.concat([_gone(facts, before, "interface_uid", "deleted"), _gone_along(facts, before, instances)])
    marked = facts.with_columns(_gone=_of(instances, interfaces))
    kept = _holding_older_addresses(marked)
    instances, interfaces = (
        instances.filter(~instances.is_in(kept["instance_uid"].drop_nulls().to_list())),
        interfaces.filter(~interfaces.is_in(kept["interface_uid"].drop_nulls().to_list())),
    )
    left = facts.filter(~_of(instances, interfaces))
    links = left.filter(_is_of_a_thing())["link_uid"].drop_nulls().unique().to_list()
    is_idle = ~_is_of_a_thing() & pl.col("kind").is_in(["detached", "released"]) & (pl.col("time") < before)
    return left.filter(~(is_idle & pl.col("link_uid").is_not_null() & ~pl.col("link_uid").is_in(links)))


def _is_of_a_thing() -> pl.Expr:
    """Facts that name an instance or an interface, and those that give a link its address."""
    is_named = pl.col("instance_uid").is_not_null() | pl.col("interface_uid").is_not_null()
    return is_named | (pl.col("kind") == "allocated")


def _gone(facts: pl.DataFrame, before: datetime, column: str, kind: str) -> pl.Series:
    """Ids of those that ended before, of which nothing is said at that time or later."""
    of_each = facts.filter(pl.col(column).is_not_null()).group_by(column)
    said = of_each.agg(pl.col("time").max(), ended=(pl.col("kind") == kind).any())
    return said.filter(pl.col("ended") & (pl.col("time") < before))[column]


def _gone_along(facts: pl.DataFrame, before: datetime, instances: pl.Series) -> pl.Series:
    """Ids of interfaces that went with the only instance that they were ever attached to."""
    attached = facts.filter((pl.col("kind") == "attached") & pl.col("interface_uid").is_not_null())
    said = facts.filter(pl.col("interface_uid").is_not_null()).group_by("interface_uid").agg(last=pl.col("time").max())
    ends = pl.col("ends_with_instance").fill_null(False) & pl.col("instance_uid").is_in(instances.to_list())
    ended = attached.group_by("interface_uid").agg(ends=ends.all()).filter("ends")
    return ended.join(said.filter(pl.col("last") < before), on="interface_uid", how="semi")["interface_uid"]


def _of(instances: pl.Series, interfaces: pl.Series) -> pl.Expr:
    """Facts of these and of nothing else."""
    instance, interface = pl.col("instance_uid"), pl.col("interface_uid")
    is_named = instance.is_not_null() | interface.is_not_null()
    of_instances = instance.is_null() | instance.is_in(instances.to_list())
    return is_named & of_instances & (interface.is_null() | interface.is_in(interfaces.to_list()))


def _holding_older_addresses(marked: pl.DataFrame) -> pl.DataFrame:
    """Facts of what is gone and had an address that is still somebody's, who had it earlier.

    They say that the address was given away, and it would be the earlier one's again.
    """
    addresses = marked.filter((pl.col("kind") == "address") & pl.col("private_ip_v4").is_not_null())
    earliest = addresses.filter(~pl.col("_gone")).group_by("private_ip_v4").agg(held_from=pl.col("time").min())
    taken = addresses.filter("_gone").join(earliest, on="private_ip_v4").filter(pl.col("held_from") <= pl.col("time"))
    things = taken["interface_uid"].drop_nulls().to_list()
    attached = marked.filter((pl.col("kind") == "attached") & pl.col("interface_uid").is_in(things))
    return pl.concat([taken.select("instance_uid", "interface_uid"), attached.select("instance_uid", "interface_uid")])


def _without_repeated(facts: pl.DataFrame, before: datetime) -> pl.DataFrame:
    """Of facts of one kind, about one thing, with the same members, the last of those before."""
    is_old = (pl.col("time") < before) & pl.col("kind").is_in(_SAID_AGAIN)
    members = pl.col("details").map_elements(_members, pl.String, skip_nulls=False)
    whose = [name for name in FACTS if name not in ("time", "details")]
    numbered = facts.with_row_index("_at")
    old = numbered.filter(is_old).with_columns(members.alias(_MEMBERS))
    kept = old.group_by(*whose, _MEMBERS).agg(pl.col("_at").max())["_at"]
    stays = numbered["_at"].is_in(kept.to_list()) | ~numbered.select(is_old).to_series()
    return facts.filter(stays)


def _members(details: str | None) -> str:
    """Which members, and which tags, details speak of."""
    if not details:
        return ""
    known = msgspec.json.decode(details)
    tags = known.get("tags")
    return msgspec.json.encode([sorted(known), sorted(tags) if tags else []]).decode()
