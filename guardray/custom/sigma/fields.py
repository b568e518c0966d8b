"""CloudTrail's fields, as Sigma rules name them, to SQL over our columns.

Where a field lies in JSON, any list on the way to it, or at its end, stands for each of its elements: rules write
`containerDefinitions.command` for the commands of all definitions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from guardray.custom.sql import ConditionError

MOST_STEPS = 5
"""In a path within JSON. Each may be a list or not, so that ways double with each; the public rules have three."""

_ISSUER = "actor_session_issuer"


def _unescaped(column: str) -> str:
    return f"""replace({column}, '\\"', '"')"""


_COLUMNS: Mapping[str, str] = {
    "eventID": "metadata_uid",
    "eventCategory": "event_category",
    "eventType": "event_type",
    "eventName": "api_operation",
    "eventSource": "api_service_name",
    "awsRegion": "cloud_region",
    "recipientAccountId": "cloud_account_uid",
    "errorCode": "api_response_error",
    "errorMessage": "api_response_message",
    "requestID": "api_request_uid",
    "readOnly": "is_read_only::VARCHAR",
    "managementEvent": "(event_category = 'Management')::VARCHAR",
    "sourceIPAddress": "coalesce(src_endpoint_ip, src_endpoint_domain)",
    "userAgent": "http_request_user_agent",
    "vpcEndpointId": "src_endpoint_vpc_endpoint_uid",
    "eventTime": "strftime(time, '%Y-%m-%dT%H:%M:%SZ')",
    # Rules look in whole objects for what policies within them say, whose quotes are escaped there.
    "requestParameters": _unescaped("api_request_data"),
    "responseElements": _unescaped("api_response_data"),
    "additionalEventData": _unescaped("additional_data"),
    # No fields of CloudTrail, and yet of public rules.
    "status": "CASE WHEN api_response_error IS NULL THEN 'success' ELSE 'failure' END",
    "type": "actor_user_type",
    "userIdentity.type": "actor_user_type",
    "userIdentity.userName": "actor_user_name",
    "userIdentity.arn": "actor_user_uid",
    "userIdentity.principalId": "actor_user_uid_alt",
    "userIdentity.accountId": "actor_user_account_uid",
    "userIdentity.accessKeyId": "actor_user_credential_uid",
    "userIdentity.invokedBy": "actor_invoked_by",
    "userIdentity.sessionContext.assumedRoot": "actor_session_assumed_root::VARCHAR",
    "userIdentity.sessionContext.ec2RoleDelivery": "actor_session_ec2_role_delivery",
    "userIdentity.sessionContext.attributes.mfaAuthenticated": "actor_session_is_mfa::VARCHAR",
    "userIdentity.sessionContext.sessionIssuer.arn": _ISSUER,
    "userIdentity.sessionContext.sessionIssuer.principalId": "actor_session_issuer_uid",
    "userIdentity.sessionContext.sessionIssuer.accountId": f"nullif(split_part({_ISSUER}, ':', 5), '')",
    "userIdentity.sessionContext.sessionIssuer.userName": f"nullif(split_part({_ISSUER}, '/', -1), '')",
    "userIdentity.sessionContext.sessionIssuer.type": f"CASE WHEN contains({_ISSUER}, ':role/') THEN 'Role'"
    f" WHEN contains({_ISSUER}, ':user/') THEN 'IAMUser' WHEN ends_with({_ISSUER}, ':root') THEN 'Root' END",
}

_JSON = {
    "requestParameters": "api_request_data",
    "responseElements": "api_response_data",
    "additionalEventData": "additional_data",
}

_SHORT = "userIdentity.sessionContext."
"""What some rules leave out: `sessionContext.sessionIssuer.type`, `sessionIssuer.userName`."""

SEARCHED = "concat_ws(chr(10), api_operation, api_service_name, api_response_error, api_response_message," \
    " api_request_data, api_response_data, additional_data, actor_user_uid, actor_user_name," \
    " coalesce(src_endpoint_ip, src_endpoint_domain), http_request_user_agent)"  # fmt: skip
"""What keywords without a field are looked for in."""

_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Field:
    """Where a field is. `text` is an expression; a field in JSON has several values, a list of texts, instead."""

    text: str | None = None
    values: str | None = None


def field_of(name: str) -> Field:
    """The field of that name.

    Raises:
        ConditionError: no column has it.
    """
    for full in (name, f"userIdentity.{name}", f"{_SHORT}{name}", f"{_SHORT}sessionIssuer.{name}"):
        if (column := _COLUMNS.get(full)) is not None and (full == name or "." in name):
            return Field(text=column)
    top, _, path = name.partition(".")
    if top not in _JSON or not path:
        raise ConditionError(f"the field {name!r} of CloudTrail records is not kept")
    return Field(values=_values(_JSON[top], path.split(".")))


def _values(column: str, keys: Sequence[str]) -> str:
    """All values at a path, whichever of its keys hold lists."""
    if len(keys) > MOST_STEPS:
        raise ConditionError(f"the path {'.'.join(keys)!r} has more than {MOST_STEPS} steps")
    ways = ["".join(way) for way in product(*([[key, f"{key}[*]"] for key in _joined(keys)]))]
    lists = [f"json_list({column}, {literal(way)})" for way in ways[1:]]
    return f"list_concat([_no_list({column}, {literal(ways[0])})], {', '.join(lists)})"


def _joined(keys: Sequence[str]) -> list[str]:
    quoted = [key if _PLAIN_KEY.fullmatch(key) else '"{}"'.format(key.replace('"', '\\"')) for key in keys]
    return [quoted[0], *(f".{key}" for key in quoted[1:])]


def literal(text: str) -> str:
    """The text as SQL writes it."""
    return "'{}'".format(text.replace("'", "''"))
