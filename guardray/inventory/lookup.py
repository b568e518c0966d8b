"""The inventory: which instance an interface or a private address belonged to at a time, for whole batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from functools import cached_property

import polars as pl

from guardray.findings.resources import Instance, NetworkInterface
from guardray.inventory import intervals
from guardray.inventory.details import Details
from guardray.inventory.facts import FACTS, together
from guardray.inventory.owners import Owners
from guardray.inventory.timelines import Register, Timeline
from guardray.schema.addresses import ipv4_number
from guardray.schema.columns import UTC_US

FOUND = ("instance_uid", "interface_uid", "vpc_uid", "subnet_uid")


class Inventory:
    """What facts tell, ready to be asked. It never changes; `merge` makes another one.

    Look-ups are by event time: an address that a second instance was given later goes to either by the row's time.
    After an instance is terminated, its address is nobody's until it is assigned again, except that it stays the old
    instance's for another five minutes (`timelines.GRACE`).
    """

    def __init__(self, facts: pl.DataFrame | None = None) -> None:
        """Facts in the schema `FACTS`, in any order, repeated or not."""
        self.facts = together([] if facts is None else [facts])

    def __reduce__(self) -> tuple[Callable[[pl.DataFrame], Inventory], tuple[pl.DataFrame]]:
        return Inventory, (self.facts,)

    def __len__(self) -> int:
        """How many facts are known."""
        return len(self.facts)

    @property
    def is_empty(self) -> bool:
        return not len(self.facts)

    def merge(self, facts: pl.DataFrame) -> Inventory:
        """The inventory that knows these facts too."""
        return Inventory(together([self.facts, facts])) if len(facts) else self

    def resolve(
        self,
        frame: pl.DataFrame,
        *,
        account: str = "cloud_account_uid",
        region: str = "cloud_region",
        time: str = "time",
        interface: str = "interface_uid",
        vpc: str = "vpc_uid",
        private_ip: str = "private_ip_v4",
    ) -> pl.DataFrame:
        """The frame with `instance_uid`, `interface_uid`, `vpc_uid` and `subnet_uid`, filled where known at the time.

        A row's interface decides, if it names one; else its VPC and private address; else account, Region and address,
        where one VPC only has that address at that time. What a row says itself is kept. Any of the named columns may
        be missing from the frame.

        Args:
            private_ip: name of a column of IPv4 numbers (UInt32), each row's own address.
        """
        given = {"cloud_account_uid": account, "cloud_region": region, "time": time}
        given |= {
            "interface_uid": interface,
            "vpc_uid": vpc,
            "private_ip_v4": private_ip,
            "instance_uid": "instance_uid",
        }
        types = {**FACTS, "time": UTC_US}
        asked = frame.select(
            pl.col(column).cast(types[name]).alias(name)
            if column in frame.columns
            else pl.lit(None, types[name]).alias(name)
            for name, column in given.items()
        )
        return frame.with_columns(self._found(asked).select(FOUND)) if len(frame) else _widened(frame)

    def _found(self, asked: pl.DataFrame) -> pl.DataFrame:
        holder = self._holders(asked)
        attached, row = self._attachments.intervals, self._attachments.at(asked.select("time", holder))
        network = self._networks.of(holder.to_frame())
        is_interface = holder.str.starts_with("eni-")
        return pl.DataFrame(
            {
                "instance_uid": _either(asked, "instance_uid", attached["instance_uid"].gather(row)),
                "interface_uid": _either(asked, "interface_uid", holder.set(~is_interface, None)),
                "vpc_uid": _either(asked, "vpc_uid", network["vpc_uid"]),
                "subnet_uid": network["subnet_uid"],
            }
        )

    def _holders(self, asked: pl.DataFrame) -> pl.Series:
        """What each row is about: its interface, else what has its private address."""
        holder = asked["interface_uid"].alias("holder")
        if not (holder.null_count() and asked["private_ip_v4"].count()):
            return holder
        by_vpc, by_region = self._by_vpc, self._by_region
        in_vpc = by_vpc.intervals["holder"].gather(by_vpc.at(asked))
        holder = pl.select(pl.coalesce(holder, in_vpc)).to_series().alias("holder")
        if not holder.null_count():
            return holder
        row = by_region.at(asked)
        one, network = by_region.intervals["holder"].gather(row), by_region.intervals["vpc_uid"].gather(row)
        # Where the row names a VPC, an address of another one is somebody else's.
        one = pl.select(pl.when(asked["vpc_uid"].is_null() | network.is_null()).then(one)).to_series()
        return pl.select(pl.coalesce(holder, one)).to_series().alias("holder")

    @cached_property
    def _attachments(self) -> Timeline:
        return Timeline(intervals.attachments(self.facts), ["holder"])

    @cached_property
    def _networks(self) -> Register:
        return Register(intervals.networks(self.facts), "holder")

    @cached_property
    def _held(self) -> pl.DataFrame:
        return intervals.addresses(self.facts, self._attachments.intervals)

    @cached_property
    def _by_vpc(self) -> Timeline:
        return Timeline(self._held, ["vpc_uid", "private_ip_v4"])

    @cached_property
    def _by_region(self) -> Timeline:
        return Timeline(intervals.by_region(self._held), ["cloud_account_uid", "cloud_region", "private_ip_v4"])

    @cached_property
    def _details(self) -> Details:
        return Details(self.facts, self._attachments.intervals)

    @cached_property
    def _owners(self) -> Owners:
        return Owners(self.facts)

    @cached_property
    def accounts(self) -> frozenset[str]:
        """The accounts that anything is known of."""
        return frozenset(self.facts["cloud_account_uid"].drop_nulls().unique().to_list())

    def owner(self, public_ip: str, time: datetime) -> str | None:
        """The account that a public address was of at a time; None where that is not known."""
        return self._owners.of(public_ip, time)

    def completed(self, account_id: str, region: str | None, instance: Instance, time: datetime) -> Instance:
        """The instance of a finding with all that is known of it; what only its logs said stays."""
        said = instance.interface
        found = self.instance(
            account_id,
            region,
            time=time,
            instance_uid=instance.instance_id,
            interface_uid=said.interface_id,
            private_ip=said.private_ip,
            vpc_uid=said.vpc_id,
        )
        return instance if found is None else replace(found, interface=_filled(found.interface, said))

    def instance(
        self,
        account_id: str,
        region: str | None,
        *,
        time: datetime,
        instance_uid: str | None = None,
        interface_uid: str | None = None,
        private_ip: str | None = None,
        vpc_uid: str | None = None,
    ) -> Instance | None:
        """All that is known of an instance or an interface at a time; None where nothing is.

        The interface asked for, by id or address, comes first among the instance's.
        """
        row: dict[str, object] = {
            "cloud_account_uid": account_id,
            "cloud_region": region,
            "time": time,
            "instance_uid": instance_uid,
        }
        row |= {"interface_uid": interface_uid, "vpc_uid": vpc_uid}
        row["private_ip_v4"] = None if private_ip is None else ipv4_number(private_ip)
        schema = {name: {**FACTS, "time": UTC_US}[name] for name in row}
        found = self._found(pl.DataFrame([row], schema=schema)).row(0, named=True)
        return self._details.instance(found["instance_uid"], found["interface_uid"], time)


def _filled(interface: NetworkInterface, said: NetworkInterface) -> NetworkInterface:
    """The interface, with what it does not know taken from what was said of it."""
    unknown = [one.name for one in fields(NetworkInterface) if getattr(interface, one.name) in (None, ())]
    return replace(interface, **{name: getattr(said, name) for name in unknown})


def _either(asked: pl.DataFrame, name: str, found: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(asked[name], found)).to_series()


def _widened(frame: pl.DataFrame) -> pl.DataFrame:
    """An empty frame with the columns that a look-up adds."""
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in FOUND if name not in frame.columns)
