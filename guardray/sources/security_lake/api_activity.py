"""API Activity (class 6003), Account Change (3001) and Authentication (3002): CloudTrail.

Source: OCSF examples, event dossiers "Amazon CloudTrail" for OCSF 1.0.0-rc.2, 1.1.0 and 1.5.0.
"""

from __future__ import annotations

import polars as pl

from guardray.schema.api_activity import SCHEMA
from guardray.sources.cloudtrail.columns import KEPT_CATEGORIES, S3_DATA_OPERATIONS, event_hash
from guardray.sources.cloudtrail.scan import S3_SERVICES
from guardray.sources.parquet import Fields, Rules
from guardray.sources.security_lake.event_class import EventClass, Reading, account, time

_OTHER_CATEGORIES = ("Insight", "NetworkActivity")
"""Insight records repeat what other records say; network activity of VPC endpoints is no part of the schema."""

_KUBERNETES = "Amazon EKS"
"""Audit logs of clusters share the class: their operations are not AWS's."""


def _reading(fields: Fields) -> Reading:
    operation, service = fields.text("api.operation"), fields.text("api.service.name")
    category = fields.text("metadata.product.feature.name")
    columns = {
        "time": time(fields),
        "metadata_uid": fields.text("metadata.uid"),
        "event_category": _category(category, service, operation),
        "event_type": fields.text("metadata.event_code", unmapped="eventType"),
        "cloud_account_uid": pl.coalesce(account(fields), _account_of_caller(fields)),
        "cloud_region": fields.text("cloud.region"),
        "api_operation": operation,
        "api_service_name": service,
        "is_read_only": _flag(fields.text(unmapped="readOnly")),
        "src_endpoint_ip": fields.text("src_endpoint.ip"),
        "src_endpoint_domain": fields.text("src_endpoint.domain"),
        "src_endpoint_vpc_endpoint_uid": fields.text("src_endpoint.uid"),
        "src_endpoint_vpc_endpoint_account_uid": fields.text(unmapped="vpcEndpointAccountId"),
        "http_request_user_agent": fields.text("http_request.user_agent"),
        **_payload(fields, service),
        **_actor(fields),
    }
    problems = {
        "has no time": columns["time"].is_null(),
        "has no api.operation": operation.fill_null("") == "",
        "has no api.service.name": service.fill_null("") == "",
    }
    is_wanted = ~category.is_in(_OTHER_CATEGORIES) & (fields.text("metadata.product.name") != _KUBERNETES)
    rules = Rules(SCHEMA, columns, problems, finish=lambda rows: rows.with_columns(event_hash=event_hash(rows)))
    return Reading(rules, is_wanted.fill_null(value=True))


def _payload(fields: Fields, service: pl.Expr) -> dict[str, pl.Expr]:
    """What was asked for and answered; OCSF 1.0 had no place for either."""
    request = fields.text("api.request.data", unmapped="requestParameters")
    additional = fields.text(unmapped="additionalEventData")
    s3_request, s3_additional = (pl.when(service.is_in(S3_SERVICES)).then(text) for text in (request, additional))
    return {
        "api_request_uid": fields.text("api.request.uid"),
        "api_request_data": request,
        "api_response_data": fields.text("api.response.data", unmapped="responseElements"),
        "api_response_error": fields.text("api.response.error"),
        "api_response_message": fields.text("api.response.message"),
        "additional_data": additional,
        "additional_bytes_in": _amount(fields, s3_additional, "bytesTransferredIn"),
        "additional_bytes_out": _amount(fields, s3_additional, "bytesTransferredOut"),
        "bucket_name": pl.coalesce(
            s3_request.str.json_path_match("$.bucketName"), fields.text(unmapped="requestParameters.bucketName")
        ),
        "object_key": pl.coalesce(
            s3_request.str.json_path_match("$.key"), fields.text(unmapped="requestParameters.key")
        ),
    }


def _amount(fields: Fields, additional: pl.Expr, name: str) -> pl.Expr:
    text = pl.coalesce(additional.str.json_path_match(f"$.{name}"), fields.text(unmapped=f"additionalEventData.{name}"))
    return pl.when(text.str.contains(r"^\d{1,18}$")).then(text).cast(pl.Int64, strict=False)


def _actor(fields: Fields) -> dict[str, pl.Expr]:
    """Who called. Until OCSF 1.0 the ARN was `uuid` and the principal's id `uid`; now they are `uid` and `uid_alt`."""
    is_old = "actor.user.uuid" in fields
    context = "userIdentity.sessionContext"
    return {
        "actor_user_type": fields.text("actor.user.type"),
        "actor_user_name": fields.text("actor.user.name"),
        "actor_user_uid": fields.text("actor.user.uuid" if is_old else "actor.user.uid"),
        "actor_user_uid_alt": fields.text("actor.user.uid" if is_old else "actor.user.uid_alt"),
        "actor_user_account_uid": fields.text("actor.user.account.uid", "actor.user.account_uid"),
        "actor_user_credential_uid": fields.text("actor.user.credential_uid"),
        "actor_invoked_by": fields.text("actor.invoked_by"),
        "actor_session_issuer": fields.text("actor.session.issuer"),
        "actor_session_issuer_uid": fields.text(unmapped=f"{context}.sessionIssuer.principalId"),
        "actor_session_is_mfa": fields.flag("actor.session.is_mfa", "actor.session.mfa"),
        "actor_session_assumed_root": _flag(fields.text(unmapped=f"{context}.assumedRoot")),
        "actor_session_ec2_role_delivery": fields.text(unmapped=f"{context}.ec2RoleDelivery"),
        "actor_scope_issuer_type": fields.text(unmapped="userIdentity.inScopeOf.issuerType"),
        "actor_scope_issued_to": fields.text(unmapped="userIdentity.inScopeOf.credentialsIssuedTo"),
    }


def _account_of_caller(fields: Fields) -> pl.Expr:
    account = fields.text("actor.user.account.uid", "actor.user.account_uid")
    return pl.when(account.str.len_bytes() == 12).then(account)


def _flag(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase() == "true"


def _category(category: pl.Expr, service: pl.Expr, operation: pl.Expr) -> pl.Expr:
    """Until OCSF 1.1 the feature's name was the same for all categories."""
    is_data = service.is_in(S3_SERVICES) & operation.is_in(S3_DATA_OPERATIONS)
    derived = pl.when(is_data).then(pl.lit("Data")).otherwise(pl.lit("Management"))
    return pl.when(category.is_in(KEPT_CATEGORIES)).then(category).otherwise(derived)


API_ACTIVITY = EventClass((6003, 3001, 3002, 3005), _reading)
"""3005 is what API Activity was until OCSF 1.0."""
