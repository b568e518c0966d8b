"""Credentials that AWS hands to an instance, a container task or a function are used somewhere else.

UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS and .InsideAWS for instances, and
UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS and .InsideAWS for ECS tasks and, outside, Lambda
functions. Whoever can make a workload tell its credentials has all that its role may do. Calls that were denied count.

Credentials of instances are told by how their role was delivered and by the session's name, which is the instance's
id; those of tasks and functions by what CloudTrail says they were issued to, tasks by the session's name as well.
OutsideAWS is an address that AWS does not announce. InsideAWS is an address that the inventory knows as another
account's, or another account's VPC endpoint; whose most addresses are nobody knows, and about those it stays quiet.
Private addresses are the workload's own network. Networks and addresses from which a role is used day after day, as
through a gateway on premises, stop firing.

Source: GuardDuty user guide, IAM finding types; CloudTrail user guide, userIdentity element.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import polars as pl

from guardray.detectors.activity import Activity, DistinctTexts, Habit
from guardray.detectors.behaviour import ACCOUNT, PRINCIPAL
from guardray.detectors.calls import OWN_CREDENTIALS, caller_of, credentials, origin_of
from guardray.detectors.declare import ActivityDetector, Example, fires, on_earlier_days, quiet
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.findings.resources import Instance, NetworkInterface, Resource
from guardray.inventory import Inventory
from guardray.schema import api_activity
from guardray.stats.measures import Count
from guardray.types import AccountId, Row

STEADY_DAYS = 3
"""Earlier days on which a role was used from a network (outside AWS), an address or an endpoint (inside) after which
that is how it is used. Stolen credentials of an instance last hours, so that a thief seldom gets there unnoticed."""

AFFILIATED_SEVERITY = 5.0
"""Of use in another account that we watch as well: mostly a way that somebody built."""

_SESSION, _ISSUER = pl.col("actor_user_uid_alt"), pl.col("actor_scope_issuer_type")

IS_INSTANCE = (
    pl.col("actor_session_ec2_role_delivery").is_not_null()
    | (_ISSUER == "AWS::EC2::Instance").fill_null(False)
    | _SESSION.str.contains(r":i-(?:[0-9a-f]{8}|[0-9a-f]{17})$").fill_null(False)
)
IS_TASK = (
    _ISSUER.str.starts_with("AWS::ECS::").fill_null(False)
    | (_SESSION.str.contains(r":[0-9a-f]{32}$").fill_null(False) & _ISSUER.is_null())
) & IS_INSTANCE.not_()
IS_FUNCTION = (_ISSUER == "AWS::Lambda::Function").fill_null(False)

IS_OUTSIDE = pl.col("src_endpoint_is_aws").not_().fill_null(False)
IS_INSIDE = pl.col("src_endpoint_is_aws").fill_null(False)

IS_OTHERS_ENDPOINT = (pl.col("src_endpoint_vpc_endpoint_account_uid") != pl.col("cloud_account_uid")).fill_null(False)

USE = Activity(
    name="issued credentials",
    schema=api_activity.SCHEMA,
    where=(pl.col("actor_user_type") == "AssumedRole")
    & OWN_CREDENTIALS
    & pl.col("actor_invoked_by").is_null()
    & (IS_OUTSIDE | IS_INSIDE | IS_OTHERS_ENDPOINT)
    & (IS_INSTANCE | IS_TASK | (IS_FUNCTION & IS_OUTSIDE)),  # functions have new addresses of AWS all the time
    owner=ACCOUNT,
    group=(
        *PRINCIPAL,
        "actor_user_uid_alt",
        "src_endpoint_ip",
        "src_endpoint_autonomous_system_number",
        "src_endpoint_vpc_endpoint_account_uid",
    ),
    measures={"calls": Count(), "operations": DistinctTexts("api_operation")},
    habits={
        "network": Habit(PRINCIPAL, ("src_endpoint_autonomous_system_number",)),
        "address": Habit(PRINCIPAL, ("src_endpoint_ip",)),
        "endpoint": Habit(ACCOUNT, ("src_endpoint_vpc_endpoint_account_uid",)),
    },
)

OUTSIDE = IS_OUTSIDE & (pl.col("network_days") < STEADY_DAYS)
INSIDE = (IS_OTHERS_ENDPOINT & (pl.col("endpoint_days") < STEADY_DAYS)) | (
    IS_INSIDE & IS_OTHERS_ENDPOINT.not_() & (pl.col("address_days") < STEADY_DAYS)
)


def outside_details(row: Row) -> Details:
    return _details(row, "from outside AWS", "a network that is not AWS's")


def inside_details(row: Row) -> Details:
    found = _details(row, "in another account", "another account")
    endpoint_account = row["src_endpoint_vpc_endpoint_account_uid"]
    if endpoint_account in (None, row["cloud_account_uid"]):
        return found
    return replace(found, action=replace(_call(found), remote_account_id=endpoint_account))


def _details(row: Row, where: str, place: str) -> Details:
    usual = ", ".join(f"AS {network} on {days} days" for (network,), days in row["usual"]["network"][:3])
    return Details(
        title=f"Credentials issued to {_workload(row)} were used {where}.",
        description=f"Credentials of {caller_of(row)}, issued to {_workload(row)}, were used from {origin_of(row)} (AS "
        f"{row['src_endpoint_autonomous_system_number']}), which is in {place}, for {row['calls']} calls of "
        f"{row['operations']} operations, {row['api_operation']} the last. Known for this role: {usual or 'nothing'}.",
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
    """Only where another account is known to be at the other end; less severe where it is one that we watch."""
    call = _call(details)
    owner = call.remote_account_id or inventory.owner(call.remote_ip or "", time)
    if owner in (None, account):
        return None
    is_affiliated = owner in inventory.accounts
    return replace(
        details,
        severity=AFFILIATED_SEVERITY if is_affiliated else None,
        action=replace(call, remote_account_id=owner, remote_account_affiliated=is_affiliated),
    )


GATEWAY, HOTEL, EIP, OWN_EIP = "198.51.100.7", "203.0.113.40", "192.0.2.10", "192.0.2.200"
PLACES = {GATEWAY: ("DE", 64500), HOTEL: ("BR", 64510), EIP: ("US", 16509), OWN_EIP: ("US", 16509)}

OTHER_ACCOUNT = "444455556666"
OWNERS = {EIP: OTHER_ACCOUNT, OWN_EIP: "111122223333"}

CALL = {
    "event_category": "Management",
    "api_service_name": "s3.amazonaws.com",
    "api_operation": "ListBuckets",
    "actor_user_type": "AssumedRole",
    "actor_user_name": "web-role",
    "actor_session_issuer_uid": "AROAWEB",
}
OF_INSTANCE = CALL | {
    "actor_user_uid_alt": "AROAWEB:i-0123456789abcdef0",
    "actor_session_ec2_role_delivery": "2.0",
}
OF_TASK = CALL | {"actor_user_uid_alt": "AROAWEB:0123456789abcdef0123456789abcdef"}
OF_FUNCTION = CALL | {
    "actor_user_uid_alt": "AROAWEB:ingest",
    "actor_scope_issuer_type": "AWS::Lambda::Function",
    "actor_scope_issued_to": "arn:aws:lambda:eu-west-1:111122223333:function:ingest",
}
OF_PERSON = CALL | {"actor_user_uid_alt": "AROAWEB:alice"}


def outside_examples(*callers: tuple[str, dict[str, str]], other: dict[str, str]) -> tuple[Example, ...]:
    _, caller = callers[0]
    there = caller | {"src_endpoint_ip": HOTEL}
    by_gateway = on_earlier_days(STEADY_DAYS, caller | {"src_endpoint_ip": GATEWAY})
    return (
        *(
            fires(f"credentials of {name} are used elsewhere", one | {"src_endpoint_ip": HOTEL}, places=PLACES)
            for name, one in callers
        ),
        fires("the call is denied", there | {"api_response_error": "AccessDenied"}, places=PLACES),
        fires("another network than the usual one", *by_gateway, there, places=PLACES),
        quiet("the address is AWS's", caller | {"src_endpoint_ip": OWN_EIP}, places=PLACES),
        quiet("the address is private", caller | {"src_endpoint_ip": "10.1.2.3"}, places=PLACES),
        quiet("whose the address is nobody knows", there),
        quiet("an account brought the address to AWS", there, places=PLACES, owners={HOTEL: OTHER_ACCOUNT}),
        quiet("a service acts with the role", there | {"actor_invoked_by": "ssm.amazonaws.com"}, places=PLACES),
        quiet("credentials are another kind's", other | {"src_endpoint_ip": HOTEL}, places=PLACES),
        quiet("a person has the role", OF_PERSON | {"src_endpoint_ip": HOTEL}, places=PLACES),
    )


def inside_examples(caller: dict[str, str], other: dict[str, str]) -> tuple[Example, ...]:
    there = caller | {"src_endpoint_ip": EIP}
    private = caller | {"src_endpoint_ip": "10.1.2.3", "src_endpoint_vpc_endpoint_uid": "vpce-0a1b"}
    by_endpoint = private | {"src_endpoint_vpc_endpoint_account_uid": OTHER_ACCOUNT}
    own = private | {"src_endpoint_vpc_endpoint_account_uid": "111122223333"}
    watched = {EIP: OTHER_ACCOUNT}
    return (
        fires("the address is another account's", there, places=PLACES, owners=OWNERS, severity=AFFILIATED_SEVERITY),
        fires("the call comes by an endpoint of an account that nobody knows", by_endpoint, severity=8.0),
        fires("we watch the endpoint's account", by_endpoint, owners=watched, severity=AFFILIATED_SEVERITY),
        fires("the call is denied", there | {"api_response_error": "AccessDenied"}, places=PLACES, owners=OWNERS),
        quiet("the address is the account's own", caller | {"src_endpoint_ip": OWN_EIP}, places=PLACES, owners=OWNERS),
        quiet("whose the address is nobody knows", there, places=PLACES),
        quiet("the endpoint is the account's own", own, owners=OWNERS),
        quiet("whose the endpoint is nobody knows", private, owners=OWNERS),
        quiet("the address is outside AWS", caller | {"src_endpoint_ip": HOTEL}, places=PLACES, owners=OWNERS),
        quiet("a service acts with the role", there | {"actor_invoked_by": "ssm.amazonaws.com"}, places=PLACES),
        quiet("credentials are another kind's", other | {"src_endpoint_ip": EIP}, places=PLACES, owners=OWNERS),
        quiet("a person has the role", OF_PERSON | {"src_endpoint_ip": EIP}, places=PLACES, owners=OWNERS),
    )


def outside(family: str, whose: pl.Expr, examples: tuple[Example, ...]) -> ActivityDetector:
    return ActivityDetector(
        finding_type=f"UnauthorizedAccess:IAMUser/{family}.OutsideAWS",
        severity=8.0,
        source="cloudtrail-management",
        schema=api_activity.SCHEMA,
        role="TARGET",
        entity=("actor_principal",),
        activity=USE,
        crossed=OUTSIDE & whose,
        together=(*PRINCIPAL, "src_endpoint_ip"),
        score=pl.col("calls"),
        learning="after",
        details=outside_details,
        settle=settle_outside,
        tunables={"steady_days": STEADY_DAYS},
        examples=examples,
    )


def inside(family: str, whose: pl.Expr, examples: tuple[Example, ...]) -> ActivityDetector:
    return ActivityDetector(
        finding_type=f"UnauthorizedAccess:IAMUser/{family}.InsideAWS",
        severity=8.0,
        source="cloudtrail-management",
        schema=api_activity.SCHEMA,
        role="TARGET",
        # Whose an address is is found out for each, and the account's own would otherwise be told of in its place.
        entity=("actor_principal", "src_endpoint_ip", "src_endpoint_vpc_endpoint_account_uid"),
        activity=USE,
        crossed=INSIDE & whose,
        together=(*PRINCIPAL, "src_endpoint_ip", "src_endpoint_vpc_endpoint_account_uid"),
        score=pl.col("calls"),
        learning="after",
        details=inside_details,
        settle=settle_inside,
        tunables={"steady_days": STEADY_DAYS, "affiliated_severity": AFFILIATED_SEVERITY},
        examples=examples,
    )


INSTANCE, RESOURCE = "InstanceCredentialExfiltration", "ResourceCredentialExfiltration"

DETECTORS = (
    outside(INSTANCE, IS_INSTANCE, outside_examples(("an instance", OF_INSTANCE), other=OF_TASK)),
    inside(INSTANCE, IS_INSTANCE, inside_examples(OF_INSTANCE, OF_TASK)),
    outside(
        RESOURCE,
        IS_TASK | IS_FUNCTION,
        outside_examples(("a task", OF_TASK), ("a function", OF_FUNCTION), other=OF_INSTANCE),
    ),
    inside(RESOURCE, IS_TASK, inside_examples(OF_TASK, OF_INSTANCE)),
)
