"""Facts: what was said of an instance, an interface or an address, and when. A set: any order, equal ones are one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl

from guardray.schema.columns import UTC_US

KINDS = (
    "interface",  # an interface is there: its network and `details`
    "deleted",  # an interface is gone, and whatever it had
    "address",  # an interface has a private address; an instance, where its interface was not said
    "unassigned",  # it has that address no longer
    "attached",  # an interface is an instance's; `link_uid` is the attachment
    "detached",  # no longer: by interface or by `link_uid`
    "instance",  # an instance is as `details` says
    "ended",  # an instance was terminated
    "allocated",  # a public address is the account's; `link_uid` is the allocation
    "public",  # an interface or instance has a public address; `link_uid` is the association
    "released",  # no longer: by `link_uid` or `public_ip`
    "tagged",  # an instance has these `details.tags` as well
    "untagged",  # an instance has these no longer
)
"""In the order in which facts of one time take effect."""

FACTS = pl.Schema(
    {
        "time": UTC_US,
        "cloud_account_uid": pl.String(),
        "cloud_region": pl.String(),
        "kind": pl.Enum(KINDS),
        "interface_uid": pl.String(),
        "instance_uid": pl.String(),
        "private_ip_v4": pl.UInt32(),
        "public_ip": pl.String(),
        "vpc_uid": pl.String(),
        "subnet_uid": pl.String(),
        "link_uid": pl.String(),
        "ends_with_instance": pl.Boolean(),  # of an attachment: the interface goes when its instance does
        "details": pl.String(),  # JSON, members as GuardDuty's `instanceDetails` names them
    }
)

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of facts that say since when not: they hold from the beginning, unless others of the same thing do say."""


class FactList:
    """Collects facts of one account and Region."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._place: dict[str, Any] = {}

    def at(self, account: str | None, region: str | None) -> FactList:
        """Where the facts hold that are added from now on."""
        self._place = {"cloud_account_uid": account, "cloud_region": region}
        return self

    def add(self, kind: str, time: datetime, *, details: Mapping[str, Any] | None = None, **columns: Any) -> None:
        """Add one fact. Details are written in the order of their names, so that equal ones are equal."""
        text = msgspec.json.encode(details, order="deterministic").decode() if details else None
        self._rows.append({"kind": kind, "time": time, "details": text, **self._place, **columns})

    def frame(self) -> pl.DataFrame:
        """All that was added, in the schema `FACTS`."""
        return pl.DataFrame(self._rows, schema=FACTS, orient="row") if self._rows else FACTS.to_frame()


def together(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Facts of several origins as one set, in an order that depends on the facts alone."""
    return pl.concat([FACTS.to_frame(), *parts]).unique().sort(*FACTS)


def own_addresses(facts: pl.DataFrame) -> pl.DataFrame:
    """Which private addresses an interface had at any time: `interface_uid`, `private_ip_v4`, each pair once."""
    known = facts.filter(pl.col("kind") == "address").select("interface_uid", "private_ip_v4").drop_nulls()
    return known.unique().sort("interface_uid", "private_ip_v4")
