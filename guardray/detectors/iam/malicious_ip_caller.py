"""Recon:IAMUser/MaliciousIPCaller, UnauthorizedAccess:IAMUser/MaliciousIPCaller, and .Custom and TorIPCaller of both.

Someone on a threat list, or behind the Tor network, used credentials of the account. A call that lists or describes
what the account holds is reconnaissance; every other call, signing in included, is unauthorised access. A call that was
denied counts as well.

Source: GuardDuty user guide, IAM finding types. AWS's own tester shows that ListBuckets is reconnaissance, and that
GetUser and ConsoleLogin are not.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.calls import IAM, MANAGEMENT, OWN_CREDENTIALS, PRINCIPAL, S3, credentials
from guardray.detectors.declare import Example, IndicatorDetector, fires, quiet
from guardray.detectors.malicious_callers import CALLER_ADDRESS, CATEGORIES, LISTED, describer
from guardray.intel.categories import Category
from guardray.schema import api_activity

INVENTORIES = (
    "GetAccountAuthorizationDetails",
    "GetAccountSummary",
    "GetCredentialReport",
    "GetResources",
    "GetInventory",
)
"""Calls that list what the account holds under the name of a look-up of one thing."""

_OPERATION = pl.col("api_operation")

IS_RECON = _OPERATION.str.starts_with("List") | _OPERATION.str.starts_with("Describe") | _OPERATION.is_in(INVENTORIES)

LIST_BUCKETS = {
    "event_category": "Management",
    "api_service_name": S3,
    "api_operation": "ListBuckets",
    "actor_user_type": "IAMUser",
    "cloud_account_uid": "111122223333",
    "actor_user_account_uid": "111122223333",
    "src_endpoint_ip": LISTED,
}
GET_USER = LIST_BUCKETS | {"api_service_name": IAM, "api_operation": "GetUser"}
SIGN_IN = LIST_BUCKETS | {"api_service_name": "signin.amazonaws.com", "api_operation": "ConsoleLogin"}

Call = dict[str, str]

PURPOSES: dict[str, tuple[pl.Expr, tuple[Call, ...], tuple[Call, ...]]] = {
    "Recon": (IS_RECON, (LIST_BUCKETS,), (GET_USER, SIGN_IN)),
    "UnauthorizedAccess": (IS_RECON.not_(), (GET_USER, SIGN_IN), (LIST_BUCKETS,)),
}
"""Purpose of the finding type: which operations, and calls of them and of others."""


def examples(category: Category, ours: tuple[Call, ...], others: tuple[Call, ...]) -> tuple[Example, ...]:
    listed: dict[str, Category] = {LISTED: category}
    elsewhere: dict[str, Category] = {LISTED: "scanner"}
    call, deny = ours[0], {"api_response_error": "AccessDenied"}
    return (
        *(fires(f"{one['api_operation']} from a listed address", one, indicators=listed) for one in ours),
        fires("the call is denied", call | deny, indicators=listed),
        *(quiet(f"{other['api_operation']} is another purpose's", other, indicators=listed) for other in others),
        quiet("the address is on no list", call),
        quiet("the address is on another kind of list", call, indicators=elsewhere),
        quiet("the address is unknown", call | {"src_endpoint_ip": None}, indicators=listed),
        quiet("the operation is unknown", call | {"api_operation": None}, indicators=listed),
        quiet("the credentials are another account's", call | {"actor_user_account_uid": "4444"}, indicators=listed),
    )


def detector(purpose: str, family: str) -> IndicatorDetector:
    operations, ours, others = PURPOSES[purpose]
    category = CATEGORIES[family]
    return IndicatorDetector(
        finding_type=f"{purpose}:IAMUser/{family}",
        severity=5.0,
        source="cloudtrail-management",
        schema=api_activity.SCHEMA,
        role="TARGET",
        entity=PRINCIPAL,
        where=MANAGEMENT & OWN_CREDENTIALS & operations,
        indicator=CALLER_ADDRESS,
        categories=(category,),
        details=describer(credentials),
        examples=examples(category, ours, others),
    )


DETECTORS = tuple(detector(purpose, family) for purpose in PURPOSES for family in CATEGORIES)
