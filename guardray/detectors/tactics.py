"""Which tactic an API serves when an attacker calls it: for the finding types about unusual callers.

An operation has one tactic. What is named with its service decides; then the services that watch over an account, whose
loss serves to hide; then the operation's first word. Operations that fit nowhere, such as those that invoke or send
something, have none, and no such finding is about them.

The names are our judgement. The tactics and some operations of each are AWS's: passwords and secrets that are handed
out are credential access, tokens and sessions initial access, copies of data beside the account exfiltration, changes
of who may do what privilege escalation, and new or altered things that keep access alive persistence. What reads is
discovery; what deletes, updates or replaces is impact.

Source: GuardDuty user guide, IAM finding types; ATT&CK's cloud matrix for what the guide does not name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import polars as pl

Tactic = Literal[
    "CredentialAccess",
    "DefenseEvasion",
    "Discovery",
    "Exfiltration",
    "Impact",
    "InitialAccess",
    "Persistence",
    "PrivilegeEscalation",
]

NAMED: Mapping[Tactic, Mapping[str, Sequence[str]]] = {
    "CredentialAccess": {
        "ec2": ("GetPasswordData",),
        "rds": ("GenerateDbAuthToken",),
        "secretsmanager": ("BatchGetSecretValue", "GetSecretValue"),
    },
    "InitialAccess": {
        "codeartifact": ("GetAuthorizationToken",),
        "ec2-instance-connect": ("SendSSHPublicKey", "SendSerialConsoleSSHPublicKey"),
        "ecr": ("GetAuthorizationToken",),
        "ecr-public": ("GetAuthorizationToken",),
        "signin": ("GetSigninToken",),
        "ssm": ("ResumeSession", "StartSession"),
        "sts": ("GetFederationToken", "GetSessionToken"),
    },
    "PrivilegeEscalation": {
        "ec2": ("AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"),
        "iam": (
            "AddRoleToInstanceProfile",
            "AddUserToGroup",
            "AttachGroupPolicy",
            "AttachRolePolicy",
            "AttachUserPolicy",
            "CreatePolicyVersion",
            "DeleteRolePermissionsBoundary",
            "DeleteUserPermissionsBoundary",
            "PutGroupPolicy",
            "PutRolePolicy",
            "PutUserPolicy",
            "SetDefaultPolicyVersion",
            "UpdateAssumeRolePolicy",
        ),
        "sso": ("AttachManagedPolicyToPermissionSet", "CreateAccountAssignment", "PutInlinePolicyToPermissionSet"),
        "sts": ("AssumeRoot",),
    },
    "DefenseEvasion": {
        "cloudtrail": ("PutEventSelectors", "PutInsightSelectors", "UpdateTrail"),
        "ec2": ("DeleteFlowLogs",),
        "events": ("DeleteRule", "DisableRule", "RemoveTargets"),
        "firehose": ("DeleteDeliveryStream",),
        "guardduty": ("CreateFilter", "CreateIPSet", "UpdateDetector", "UpdateIPSet"),
        "iam": ("DeactivateMFADevice", "DeleteAccountPasswordPolicy"),
        "logs": ("DeleteLogGroup", "DeleteLogStream", "DeleteMetricFilter", "PutRetentionPolicy"),
        "monitoring": ("DeleteAlarms", "DisableAlarmActions"),
        "organizations": ("LeaveOrganization",),
        "route53resolver": ("DeleteResolverQueryLogConfig", "DisassociateResolverQueryLogConfig"),
        "wafv2": ("DeleteLoggingConfiguration", "DeleteWebACL", "DisassociateWebACL"),
    },
    "Exfiltration": {
        "backup": ("StartCopyJob",),
        "dynamodb": ("ExportTableToPointInTime",),
        "ec2": (
            "CopyImage",
            "CopySnapshot",
            "CreateInstanceExportTask",
            "CreateSnapshot",
            "CreateSnapshots",
            "CreateStoreImageTask",
            "ExportImage",
            "ModifyImageAttribute",
            "ModifySnapshotAttribute",
        ),
        "ram": ("CreateResourceShare",),
        "rds": (
            "CopyDBClusterSnapshot",
            "CopyDBSnapshot",
            "CreateDBClusterSnapshot",
            "CreateDBSnapshot",
            "ModifyDBClusterSnapshotAttribute",
            "ModifyDBSnapshotAttribute",
            "RestoreDBClusterFromSnapshot",
            "RestoreDBClusterToPointInTime",
            "RestoreDBInstanceFromDBSnapshot",
            "RestoreDBInstanceToPointInTime",
            "StartExportTask",
        ),
        "redshift": ("AuthorizeSnapshotAccess",),
        "s3": ("PutBucketReplication",),
    },
    "Impact": {
        "ec2": ("RunInstances", "StopInstances"),
        "ecs": ("RunTask",),
        "iam": ("PutRolePermissionsBoundary", "PutUserPermissionsBoundary"),
        "kms": ("DisableKey", "ScheduleKeyDeletion"),
        "rds": ("StopDBCluster", "StopDBInstance"),
        "ses": ("VerifyDomainIdentity", "VerifyEmailIdentity"),
    },
    "Persistence": {
        "iam": (
            "AddClientIDToOpenIDConnectProvider",
            "EnableMFADevice",
            "UpdateAccessKey",
            "UpdateLoginProfile",
            "UploadSSHPublicKey",
            "UploadSigningCertificate",
        ),
        "ec2": ("AuthorizeSecurityGroupIngress",),
        "lambda": ("AddLayerVersionPermission", "AddPermission", "PublishLayerVersion", "UpdateFunctionCode"),
    },
}
"""Operations by service, as `eventSource` names it before the first dot."""

WATCHING = (
    "access-analyzer",
    "cloudtrail",
    "config",
    "detective",
    "guardduty",
    "inspector2",
    "macie2",
    "securityhub",
    "securitylake",
)
"""Services that watch over an account: whoever takes something from them hides."""

TAKES_AWAY = ("Archive", "Delete", "Deregister", "Disable", "Disassociate", "Stop")
"""First words of operations that take something from a service that watches."""

FIRST_WORDS: Mapping[Tactic, Sequence[str]] = {
    "DefenseEvasion": ("Disable",),
    "Discovery": ("BatchGet", "Describe", "Get", "Head", "List", "Lookup", "Search"),
    "Impact": (
        "BatchDelete",
        "Cancel",
        "Delete",
        "Detach",
        "Put",
        "Reboot",
        "Remove",
        "Reset",
        "Revoke",
        "Terminate",
        "Update",
    ),
    "Persistence": ("Allocate", "Associate", "Attach", "Authorize", "Create", "Import", "Modify", "Register"),
}
"""First words of operations that are named nowhere, in this order."""

_VERSION = r"20\d{6}(v\d+)?$"
"""Lambda and CloudFront put the version of their API behind an operation's name."""


def tactic(operation: str = "api_operation", service: str = "api_service_name") -> pl.Expr:
    """The tactic of each call: String [n], null where it has none."""
    name = pl.col(operation).str.replace(_VERSION, "")
    source = pl.col(service).str.extract(r"^([^.]+)")
    named = {
        f"{of}:{one}": purpose for purpose, services in NAMED.items() for of, ones in services.items() for one in ones
    }
    hides = source.is_in(WATCHING) & _begins(name, TAKES_AWAY)
    by_word = [pl.when(_begins(name, words)).then(pl.lit(purpose)) for purpose, words in FIRST_WORDS.items()]
    explicit = pl.concat_str(source, name, separator=":").replace_strict(named, default=None, return_dtype=pl.String)
    return pl.coalesce(explicit, pl.when(hides).then(pl.lit("DefenseEvasion")), *by_word)


def _begins(name: pl.Expr, words: Sequence[str]) -> pl.Expr:
    """Whether a name begins with one of these words: the next letter is a capital or a digit, or none is left."""
    return name.str.contains(rf"^(?:{'|'.join(words)})(?:[A-Z0-9]|$)")
