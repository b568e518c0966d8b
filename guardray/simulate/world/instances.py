"""What EC2 says of hosts besides their addresses: type, image, groups, profile, tags, and ids that hang together."""

from __future__ import annotations

from guardray.simulate.period import DAY, Period
from guardray.simulate.rendering import address
from guardray.simulate.world.network import Interface

RUNNING_BEFORE_DAYS = 20.0

_CLUSTER_ROLES = {"cluster": "MASTER", "core": "CORE"}
_CLUSTER_GROUPS = {"cluster": "ElasticMapReduce-master", "core": "ElasticMapReduce-slave"}
"""What EMR tags nodes with, and the security groups that it makes for them."""


def launched_at(one: Interface, period: Period) -> float:
    """Epoch seconds of the launch; what runs from the start was launched well before it."""
    return one.launched or period.start - RUNNING_BEFORE_DAYS * DAY


def instance_type(one: Interface) -> str:
    return "m7g.large" if one.kind == "web" else "t3.medium"


def image_id(one: Interface) -> str:
    return f"ami-{one.vpc[4:21]}"


def group_id(one: Interface) -> str:
    return f"sg-{one.kind.encode().hex():0<17.17}"


def group_name(one: Interface) -> str:
    return _CLUSTER_GROUPS.get(one.kind, one.kind)


def attachment_id(one: Interface) -> str:
    return f"eni-attach-{one.id[4:]}"


def allocation_id(one: Interface) -> str:
    """The elastic address, which goes from one host to the next in its place."""
    return f"eipalloc-{one.public_ip or 0:017x}"


def association_id(one: Interface) -> str:
    return f"eipassoc-{one.id[4:]}"


def private_name(one: Interface) -> str:
    """The private DNS name."""
    return f"ip-{address(one.private_ip).replace('.', '-')}.{one.zone[:-1]}.compute.internal"


def profile(account: str, one: Interface) -> dict[str, str] | None:
    """Arn and id of the instance profile, where the host has one."""
    if one.kind not in ("web", "worker"):
        return None
    arn = f"arn:aws:iam::{account}:instance-profile/{one.kind}-instance-role"
    return {"arn": arn, "id": f"AIPA{one.kind.upper():X<17}"}


def tags(company: str, one: Interface) -> dict[str, str]:
    """Tags by key."""
    if one.kind in _CLUSTER_ROLES:
        flow = f"j-{one.vpc[4:17].upper()}"
        return {
            "Name": f"{company}-analytics",
            "aws:elasticmapreduce:job-flow-id": flow,
            "aws:elasticmapreduce:instance-group-role": _CLUSTER_ROLES[one.kind],
        }
    scaled = {"aws:autoscaling:groupName": one.kind} if one.is_passing and one.kind in ("web", "worker") else {}
    return {"Name": f"{company}-{one.kind}", **scaled}
