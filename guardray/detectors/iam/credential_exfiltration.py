"""Credentials that AWS hands to an instance, a container task or a function are used somewhere else.

UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS and .InsideAWS for instances, and
UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS and .InsideAWS for ECS tasks and, outside, Lambda
functions. Whoever can make a workload tell its credentials has all that its role may do. Calls that were denied count.

OutsideAWS is an address that AWS does not announce. InsideAWS is an address that the inventory knows as another
account's, or another account's VPC endpoint; whose most addresses are nobody knows, and about those it stays quiet, as
it does about functions whose session CloudTrail does not explain. Private addresses are the workload's own network.
Networks and addresses from which a role is used day after day, as through a gateway on premises, stop firing. An
endpoint that several roles come by on one day is how the network was built, and an instance that comes from its own
private address by another account's endpoint is in a VPC that is shared with it: a thief who takes that very address in
a network of their own is not seen.

Source: GuardDuty user guide, IAM finding types.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.behaviour import PRINCIPAL
from guardray.detectors.declare import ActivityDetector, Example, fires, on_earlier_days, quiet
from guardray.detectors.issued_credentials import (
    AFFILIATED_SEVERITY,
    INSIDE,
    INSIDE_SCORE,
    IS_FUNCTION,
    IS_INSTANCE,
    IS_TASK,
    OUTSIDE,
    SHARED_BY_ROLES,
    STEADY_DAYS,
    TOLD_A_DAY,
    USE,
    inside_details,
    outside_details,
    settle_inside,
    settle_outside,
)
from guardray.schema import api_activity

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
        score=INSIDE_SCORE,
        most=TOLD_A_DAY,
        learning="after",
        details=inside_details,
        settle=settle_inside,
        tunables={
            "steady_days": STEADY_DAYS,
            "shared_by_roles": SHARED_BY_ROLES,
            "told_a_day": TOLD_A_DAY,
            "affiliated_severity": AFFILIATED_SEVERITY,
        },
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
