"""Credentials that AWS hands to workloads: which they are, where they are used, and how a finding tells of it.

Credentials of instances are told by how their role was delivered and by the session's name, which is the instance's
id; those of tasks and functions by what CloudTrail says they were issued to, tasks by the session's name as well. Names
that look like a task's are also made by programs that assume a role; where the trail has that somebody did so with a
role on the same day, no session of the role is a task's.

Source: CloudTrail user guide, userIdentity element.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import polars as pl

from guardray.detectors.activity import Activity, DistinctTexts, Habit
from guardray.detectors.behaviour import ACCOUNT, PRINCIPAL, TOLD
from guardray.detectors.calls import OWN_CREDENTIALS, caller_of, credentials, origin_of
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.findings.resources import Instance, NetworkInterface, Resource
from guardray.inventory import Inventory
from guardray.schema import api_activity
from guardray.stats.measures import Count
from guardray.types import AccountId, Row

USES_KEPT = 50_000
"""Of a role and day. A large service starts tens of thousands of tasks a day with one role, each with an address of its
own, and none of them may hide the one whose credentials were stolen."""

STEADY_DAYS = 3
"""Earlier days on which a role was used from a network (outside AWS), an address or an endpoint (inside) after which
that is how it is used. Stolen credentials of an instance last hours, so that a thief seldom gets there unnoticed."""

SHARED_BY_ROLES = 4
"""Roles of workloads that come by one other account's endpoints on a day, from which on that is how the network was
built: a central VPC serves all that runs in the account, a thief has what was stolen from one workload or two."""

TOLD_A_DAY = 1000
"""Uses of a role inside AWS that are kept to ask whose the address is: each takes some kilobytes, and tasks with public
addresses have tens of thousands of their own. Sessions at several addresses go first, as stolen ones are."""

AFFILIATED_SEVERITY = 5.0
"""Of use in another account that we watch as well: mostly a way that somebody built."""

_SESSION, _ISSUER = pl.col("actor_user_uid_alt"), pl.col("actor_scope_issuer_type")

IS_INSTANCE = (
    pl.col("actor_session_ec2_role_delivery").is_not_null()
    | (_ISSUER == "AWS::EC2::Instance").fill_null(False)
    | _SESSION.str.contains(r":i-(?:[0-9a-f]{8}|[0-9a-f]{17})$").fill_null(False)
)
_LOOKS_LIKE_TASK = _SESSION.str.contains(r":[0-9a-f]{32}$").fill_null(False) & _ISSUER.is_null()
_IS_NAMED_BY_CALLERS = pl.col("is_assumed").any().over(*PRINCIPAL, "window_start")

IS_TASK = (
    _ISSUER.str.starts_with("AWS::ECS::").fill_null(False) | (_LOOKS_LIKE_TASK & ~_IS_NAMED_BY_CALLERS)
) & IS_INSTANCE.not_()
"""Of rows of `USE`."""
IS_FUNCTION = (_ISSUER == "AWS::Lambda::Function").fill_null(False)

IS_ISSUED = (
    pl.col("actor_session_ec2_role_delivery").is_not_null()
    | _ISSUER.is_not_null()
    | _SESSION.str.contains(r":(?:i-[0-9a-f]{8,17}|[0-9a-f]{32})$").fill_null(False)
)
"""Of one of these kinds, or nearly: one look at the session's name, since every row is asked."""

IS_OUTSIDE = (
    pl.col("src_endpoint_is_aws")
    .not_()
    .fill_null(pl.col("src_endpoint_location_country").is_not_null())
    .fill_null(False)
)
"""What a country has been given and nobody announces is not AWS's either."""
IS_INSIDE = pl.col("src_endpoint_is_aws").fill_null(False)

IS_OTHERS_ENDPOINT = (pl.col("src_endpoint_vpc_endpoint_account_uid") != pl.col("cloud_account_uid")).fill_null(False)

_ASSUMES = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
_ASSUMED_ID = r'"assumedRoleId"\s*:\s*"([^":]+:[0-9a-f]{32})"'
_RESPONSE = pl.when(pl.col("api_operation").is_in(_ASSUMES)).then("api_response_data")

IS_ASSUMED = _RESPONSE.str.contains(_ASSUMED_ID).fill_null(False) & pl.col("actor_invoked_by").is_null()
"""Somebody assumes a role and names the session as tasks' are. Services that start tasks do so as well, and say that it
was they."""

_PLACE = ("src_endpoint_ip", "src_endpoint_autonomous_system_number", "src_endpoint_vpc_endpoint_account_uid")

USE = Activity(
    name="issued credentials",
    schema=api_activity.SCHEMA,
    where=(
        (pl.col("actor_user_type") == "AssumedRole")
        & OWN_CREDENTIALS
        & pl.col("actor_invoked_by").is_null()
        & (IS_OUTSIDE | IS_INSIDE | IS_OTHERS_ENDPOINT)
        & IS_ISSUED
        & (IS_FUNCTION & IS_INSIDE).not_()  # functions have new addresses of AWS all the time
    )
    | IS_ASSUMED,
    derived={
        "is_assumed": IS_ASSUMED,
        # The role that is assumed, of which it says nothing where from.
        "actor_principal": pl.when(IS_ASSUMED)
        .then(_RESPONSE.str.extract(_ASSUMED_ID).str.extract("^([^:]+)"))
        .otherwise("actor_principal"),
        "actor_user_uid_alt": pl.when(IS_ASSUMED)
        .then(_RESPONSE.str.extract(_ASSUMED_ID))
        .otherwise("actor_user_uid_alt"),
        **{name: pl.when(~IS_ASSUMED).then(name) for name in _PLACE},
    },
    owner=ACCOUNT,
    group=(*PRINCIPAL, "actor_user_uid_alt", "is_assumed", *_PLACE),
    measures={"calls": Count(), "operations": DistinctTexts("api_operation")},
    habits={
        "network": Habit(PRINCIPAL, ("src_endpoint_autonomous_system_number",)),
        "address": Habit(PRINCIPAL, ("src_endpoint_ip",)),
        "endpoint": Habit(ACCOUNT, ("src_endpoint_vpc_endpoint_account_uid",)),
    },
    room=PRINCIPAL,
    most=USES_KEPT,
    latest=(
        *TOLD,
        "actor_scope_issued_to",
        "actor_scope_issuer_type",
        "actor_session_ec2_role_delivery",
        "src_endpoint_is_aws",
        "src_endpoint_location_country",
        "src_endpoint_vpc_endpoint_uid",
    ),
)

OUTSIDE = IS_OUTSIDE & (pl.coalesce("network_days", "address_days") < STEADY_DAYS)
_ENDPOINT_OWNER = (*ACCOUNT, "src_endpoint_vpc_endpoint_account_uid", "window_start")
_IS_SHARED = pl.col("actor_principal").n_unique().over(_ENDPOINT_OWNER) >= SHARED_BY_ROLES

INSIDE = (IS_OTHERS_ENDPOINT & (pl.col("endpoint_days") < STEADY_DAYS) & ~_IS_SHARED) | (
    IS_INSIDE & IS_OTHERS_ENDPOINT.not_() & (pl.col("address_days") < STEADY_DAYS)
)


_SESSION_ADDRESSES = pl.col("src_endpoint_ip").n_unique().over(*PRINCIPAL, "actor_user_uid_alt", "window_start")

INSIDE_SCORE = pl.col("calls") + pl.when(_SESSION_ADDRESSES > 1).then(2**40).otherwise(0)
"""Sessions that are seen at several addresses before all others."""


def outside_details(row: Row) -> Details:
    network = row["src_endpoint_autonomous_system_number"]
    return _details(row, "from outside AWS", "which nobody announces" if network is None else f"in AS {network}")


def inside_details(row: Row) -> Details:
    endpoint, account = row["src_endpoint_vpc_endpoint_uid"], row["src_endpoint_vpc_endpoint_account_uid"]
    if account in (None, row["cloud_account_uid"]):
        return _details(row, "in another account", "an address of another account")
    found = _details(row, "in another account", f"by the VPC endpoint {endpoint} of account {account}")
    return replace(found, action=replace(_call(found), remote_account_id=account))


def _details(row: Row, where: str, whose: str) -> Details:
    usual = ", ".join(f"AS {network} on {days} days" for (network,), days in row["usual"]["network"][:3])
    return Details(
        title=f"Credentials issued to {_workload(row)} were used {where}.",
        description=f"Credentials of {caller_of(row)}, issued to {_workload(row)}, were used from {origin_of(row)}, "
        f"{whose}: {row['calls']} calls of {row['operations']} operations, {row['api_operation']} the last. The role's "
        f"networks on earlier days: {usual or 'none'}.",
        resource=_resource(row),
        action=AwsApiCall.of(row),
    )


def _workload(row: Row) -> str:
    if instance := _instance_id(row):
        return f"instance {instance}"
    session = str(row["actor_user_uid_alt"]).partition(":")[2]
    return str(row["actor_scope_issued_to"] or f"task {session}")


def _instance_id(row: Row) -> str | None:
    session = str(row["actor_user_uid_alt"]).partition(":")[2]
    return session if session.startswith("i-") else None


def _resource(row: Row) -> Resource:
    instance_id = _instance_id(row)
    instance = Instance(instance_id=instance_id, interface=NetworkInterface()) if instance_id else None
    return replace(credentials(row), instance=instance)


def _call(details: Details) -> AwsApiCall:
    assert isinstance(details.action, AwsApiCall)
    return details.action


def settle_outside(details: Details, inventory: Inventory, account: AccountId, time: datetime) -> Details | None:
    """Addresses that an account brought to AWS are inside, whoever announces them."""
    return None if inventory.owner(_call(details).remote_ip or "", time) else details


def settle_inside(details: Details, inventory: Inventory, account: AccountId, time: datetime) -> Details | None:
    """Only where another account is known to be at the other end; less severe where it is one that we watch.

    An instance that comes from its own private address by another account's endpoint runs in a VPC that is shared with
    its account.
    """
    call = _call(details)
    owner = call.remote_account_id or inventory.owner(call.remote_ip or "", time)
    if owner in (None, account) or _is_at_home(details):
        return None
    is_affiliated = owner in inventory.accounts
    return replace(
        details,
        severity=AFFILIATED_SEVERITY if is_affiliated else None,
        action=replace(call, remote_account_id=owner, remote_account_affiliated=is_affiliated),
    )


def _is_at_home(details: Details) -> bool:
    """Whether the call came from the address that the inventory knows the instance by."""
    instance = details.resource.instance
    interface = None if instance is None else instance.interface
    return (
        interface is not None and interface.private_ip is not None and interface.private_ip == _call(details).remote_ip
    )
