"""OCSF API Activity (class 6003): CloudTrail management events and S3 data events."""

from __future__ import annotations

import polars as pl

from guardray.schema.columns import UTC_US, Column, EventSchema

SCHEMA = EventSchema(
    name="api_activity",
    class_uid=6003,
    columns=(
        Column("time", UTC_US, "when the call was made (eventTime)"),
        Column("event_hash", pl.UInt64(), "stable 64-bit hash of what makes two records the same event"),
        Column("metadata_uid", pl.String(), "eventID"),
        Column("event_category", pl.String(), "Management or Data"),
        Column("event_type", pl.String(), "AwsApiCall, AwsConsoleSignIn, AwsServiceEvent, ..."),
        Column("cloud_account_uid", pl.String(), "account that owns the resource (recipientAccountId), 12 digits"),
        Column("cloud_region", pl.String(), "awsRegion"),
        Column("api_operation", pl.String(), "eventName"),
        Column("api_service_name", pl.String(), "eventSource, such as iam.amazonaws.com"),
        Column("api_response_error", pl.String(), "errorCode; null when the call succeeded"),
        Column("api_response_message", pl.String(), "errorMessage"),
        Column("api_request_uid", pl.String(), "requestID"),
        Column("api_request_data", pl.String(), "requestParameters as JSON text; null when absent"),
        Column("api_response_data", pl.String(), "responseElements as JSON text; null when absent"),
        Column("additional_data", pl.String(), "additionalEventData as JSON text", ocsf="unmapped.additionalEventData"),
        Column(
            "additional_bytes_in",
            pl.Int64(),
            "bytes that the caller sent to S3 (additionalEventData.bytesTransferredIn)",
            ocsf="unmapped.additionalEventData.bytesTransferredIn",
        ),
        Column(
            "additional_bytes_out",
            pl.Int64(),
            "bytes that S3 sent to the caller (additionalEventData.bytesTransferredOut)",
            ocsf="unmapped.additionalEventData.bytesTransferredOut",
        ),
        Column("is_read_only", pl.Boolean(), "readOnly", ocsf="unmapped.readOnly"),
        Column("actor_user_type", pl.String(), "userIdentity.type: IAMUser, AssumedRole, Root, ..."),
        Column("actor_user_name", pl.String(), "userIdentity.userName; for an assumed role the role's name"),
        Column("actor_user_uid", pl.String(), "userIdentity.arn"),
        Column("actor_user_uid_alt", pl.String(), "userIdentity.principalId"),
        Column("actor_user_account_uid", pl.String(), "userIdentity.accountId: the caller's account"),
        Column("actor_user_credential_uid", pl.String(), "userIdentity.accessKeyId"),
        Column("actor_invoked_by", pl.String(), "userIdentity.invokedBy: the AWS service acting for the caller"),
        Column("actor_session_issuer", pl.String(), "sessionContext.sessionIssuer.arn"),
        Column("actor_session_issuer_uid", pl.String(), "sessionContext.sessionIssuer.principalId"),
        Column("actor_session_is_mfa", pl.Boolean(), "sessionContext.attributes.mfaAuthenticated"),
        Column("actor_session_assumed_root", pl.Boolean(), "sessionContext.assumedRoot: a session of sts AssumeRoot"),
        Column("actor_session_ec2_role_delivery", pl.String(), "sessionContext.ec2RoleDelivery: 1.0 or 2.0"),
        Column("actor_scope_issuer_type", pl.String(), "userIdentity.inScopeOf.issuerType: what got the credentials"),
        Column("actor_scope_issued_to", pl.String(), "userIdentity.inScopeOf.credentialsIssuedTo: its ARN"),
        Column("src_endpoint_ip", pl.String(), "sourceIPAddress when it is an address"),
        Column("src_endpoint_domain", pl.String(), "sourceIPAddress when it is an AWS service's name"),
        Column("src_endpoint_vpc_endpoint_uid", pl.String(), "vpcEndpointId"),
        Column("src_endpoint_vpc_endpoint_account_uid", pl.String(), "vpcEndpointAccountId: whose endpoint it is"),
        Column("http_request_user_agent", pl.String(), "userAgent"),
        Column("bucket_name", pl.String(), "requestParameters.bucketName (S3 and S3 Control calls)"),
        Column("object_key", pl.String(), "requestParameters.key (S3 calls)"),
        Column(
            "is_late",
            pl.Boolean(),
            "older than its object by more than the lateness bound, or newer than it can be",
            "unmapped.late",
        ),
    ),
)
