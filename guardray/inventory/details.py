"""An instance as it was at a time, put together from the facts about it and about its interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from guardray.findings.resources import Instance, NetworkInterface, PrivateAddress, ProductCode, Profile, SecurityGroup
from guardray.inventory.timelines import GRACE
from guardray.schema.addresses import ipv4_text

Json = dict[str, Any]


class Details:
    """Facts by instance and by interface. Asked once a finding, so that it goes through rows one by one."""

    def __init__(self, facts: pl.DataFrame, attached: pl.DataFrame) -> None:
        """Facts in their order (`facts.together`), and intervals of attachment (`intervals.attachments`)."""
        self._facts = facts
        self._by_instance, self._by_interface = _rows_by(facts, "instance_uid"), _rows_by(facts, "interface_uid")
        self._attached, self._attached_by = attached, _rows_by(attached, "instance_uid")
        allocated = facts.filter(pl.col("kind") == "allocated").select("link_uid", "public_ip").drop_nulls()
        self._allocations: dict[str, str] = dict(allocated.iter_rows())
        self._releases = facts.filter(pl.col("kind") == "released").select("link_uid", "public_ip", "time").rows()

    def instance(self, instance_uid: str | None, interface_uid: str | None, time: datetime) -> Instance | None:
        """The instance with its interfaces, the named one first; None where no fact is about either."""
        about = self._facts_of(self._by_instance, instance_uid, time)
        others = [uid for uid in self._interfaces_of(instance_uid, time) if uid != interface_uid]
        if not about and not self._facts_of(self._by_interface, interface_uid, time):
            return None
        named = interface_uid or (others.pop(0) if others else None)
        known, groups = _instance_members(about), _changed_groups(about)
        return Instance(
            instance_id=instance_uid,
            interface=self._interface(named, about, groups, time),
            other_interfaces=tuple(self._interface(uid, [], None, time) for uid in others),
            **known,
        )

    def _facts_of(self, index: Mapping[str, list[int]], uid: str | None, time: datetime) -> list[Json]:
        """Facts about something up to a time, in their order."""
        rows = index.get(uid, []) if uid is not None else []
        return [one for one in self._facts[rows].iter_rows(named=True) if one["time"] <= time] if rows else []

    def _interfaces_of(self, instance_uid: str | None, time: datetime) -> list[str]:
        """Interfaces attached at the time, the first one to be attached first."""
        rows = self._attached_by.get(instance_uid, []) if instance_uid is not None else []
        present = [
            (one["start"], one["holder"])
            for one in self._attached[rows].iter_rows(named=True)
            if one["start"] <= time and (one["end"] is None or time < one["end"] + GRACE)
        ]
        return list(dict.fromkeys(holder for _, holder in sorted(present) if holder != instance_uid))

    def _interface(
        self, uid: str | None, about: list[Json], groups: tuple[datetime, list[Json]] | None, time: datetime
    ) -> NetworkInterface:
        """One interface. Facts that name the instance only count for its first interface, which they come with."""
        facts = self._facts_of(self._by_interface, uid, time) if uid is not None else about
        merged: Json = {}
        for fact in facts:
            if fact["kind"] == "interface":
                merged |= _decoded(fact)
                if groups is not None and groups[0] <= fact["time"]:
                    groups = None
        if groups is not None:
            merged["securityGroups"] = groups[1]
        private = _addresses(facts, merged.get("primary"))
        name = merged.get("privateDnsName")
        return NetworkInterface(
            interface_id=uid,
            private_ip=private[0] if private else None,
            vpc_id=_latest(facts, "vpc_uid"),
            subnet_id=_latest(facts, "subnet_uid"),
            private_dns_name=name,
            private_ips=tuple(PrivateAddress(ip=ip, dns_name=None if i else name) for i, ip in enumerate(private)),
            ipv6_addresses=tuple(merged.get("ipv6Addresses", ())),
            public_ip=self._public_ip([*facts, *(about if uid is not None else [])], time),
            public_dns_name=merged.get("publicDnsName"),
            security_groups=tuple(
                SecurityGroup(id=one.get("groupId"), name=one.get("groupName"))
                for one in merged.get("securityGroups", ())
            ),
        )

    def _public_ip(self, facts: list[Json], time: datetime) -> str | None:
        """The latest public address that was not released since."""
        given = sorted((one for one in facts if one["kind"] == "public"), key=lambda one: one["time"])
        for one in reversed(given):
            public = one["public_ip"] or self._allocations.get(_decoded(one).get("allocationId", ""))
            if public is not None and not self._is_released(one["link_uid"], public, one["time"], time):
                return str(public)
        return None

    def _is_released(self, link: str | None, public: str, since: datetime, time: datetime) -> bool:
        return any(
            since <= at <= time and ((link is not None and by == link) or ip == public) for by, ip, at in self._releases
        )


def _rows_by(frame: pl.DataFrame, column: str) -> dict[str, list[int]]:
    """Positions of rows by the value of a column."""
    grouped = frame.select(pl.col(column), pl.int_range(pl.len()).alias("row")).drop_nulls().group_by(column).agg("row")
    return dict(grouped.iter_rows())


def _decoded(fact: Json) -> Json:
    return msgspec.json.decode(fact["details"], type=Json) if fact["details"] else {}


def _latest(facts: list[Json], column: str) -> Any:
    return next((one[column] for one in reversed(facts) if one[column] is not None), None)


def _addresses(facts: list[Json], primary: str | None) -> list[str]:
    """Private addresses that are assigned after these facts, the primary one first."""
    held: dict[str, None] = {}
    for one in facts:
        if one["kind"] == "address":
            held[ipv4_text(one["private_ip_v4"])] = None
        elif one["kind"] == "unassigned":
            held.pop(ipv4_text(one["private_ip_v4"]), None)
    return sorted(held, key=lambda ip: ip != primary)


def _changed_groups(about: list[Json]) -> tuple[datetime, list[Json]] | None:
    """The latest security groups that were set on the instance instead of an interface, and when."""
    changes = [(one["time"], _decoded(one)) for one in about if one["kind"] == "instance"]
    found = [(time, details["securityGroups"]) for time, details in changes if "securityGroups" in details]
    return found[-1] if found else None


def _instance_members(about: list[Json]) -> Json:
    """Members of `Instance` from the facts of one, later ones over earlier ones."""
    merged: Json = {}
    tags: dict[str, str] = {}
    for fact in about:
        details = _decoded(fact)
        changed = details.pop("tags", {})
        if fact["kind"] == "untagged":
            tags = {key: value for key, value in tags.items() if changed and key not in changed}
            continue
        tags |= changed
        if fact["kind"] == "instance":
            merged |= details
        elif fact["kind"] == "ended":
            merged["instanceState"] = "terminated"
    profile = merged.get("iamInstanceProfile")
    return {
        "image_id": merged.get("imageId"),
        "instance_type": merged.get("instanceType"),
        "instance_state": merged.get("instanceState"),
        "availability_zone": merged.get("availabilityZone"),
        "launch_time": merged.get("launchTime"),
        "platform": merged.get("platform"),
        "outpost_arn": merged.get("outpostArn"),
        "profile": None if profile is None else Profile(arn=profile.get("arn"), id=profile.get("id")),
        "product_codes": tuple(
            ProductCode(id=one.get("productCodeId"), type=one.get("productCodeType"))
            for one in merged.get("productCodes", ())
        ),
        "tags": tuple(sorted(tags.items())),
    }
