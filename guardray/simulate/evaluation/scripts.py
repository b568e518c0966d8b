"""What intruders did in published incidents, step by step, each step with the finding type that is there for it.

Names of groups and tools are in the comments; the order of steps and the operations are from the reports that are
named in `docs/evaluation.md`. What an operation is for is judged here by hand, not by the detectors' own table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Victim = Literal["user", "sso", "function", "instance", "pipeline"]
Step = tuple[str, str, int]
"""Tactic, `service Operation`, and how often."""

TYPES = {
    **{
        name: f"{name}:IAMUser/AnomalousBehavior"
        for name in (
            "CredentialAccess",
            "DefenseEvasion",
            "Discovery",
            "Exfiltration",
            "Impact",
            "InitialAccess",
            "Persistence",
            "PrivilegeEscalation",
        )
    },
    "S3Discovery": "Discovery:S3/AnomalousBehavior",
    "S3Exfiltration": "Exfiltration:S3/AnomalousBehavior",
    "S3Delete": "Impact:S3/AnomalousBehavior.Delete",
    "S3Permission": "Impact:S3/AnomalousBehavior.Permission",
    "S3Write": "Impact:S3/AnomalousBehavior.Write",
}


@dataclass(frozen=True)
class Script:
    """An incident as it was reported.

    Attributes:
        technique: ATT&CK number of what it was for.
        victims: whose credentials were taken in such incidents.
    """

    title: str
    technique: str
    victims: tuple[Victim, ...]
    steps: tuple[Step, ...]


def _steps(tactic: str, *calls: str) -> tuple[Step, ...]:
    """Steps of lines such as `iam ListUsers` or `secretsmanager GetSecretValue*20`."""
    found = []
    for call in calls:
        name, _, times = call.partition("*")
        found.append((tactic, name, int(times or 1)))
    return tuple(found)


_WHO_AM_I = _steps("Discovery", "sts GetCallerIdentity")

SCRIPTS = (
    Script(  # Codefinger: objects are encrypted anew with the thief's key, and marked for deletion
        "objects held to ransom", "T1486", ("user", "pipeline"),
        (*_WHO_AM_I, *_steps("S3Discovery", "s3 ListObjects*14", "s3 HeadObject*12"),
         *_steps("S3Exfiltration", "s3 GetObject*160"), *_steps("S3Write", "s3 PutObject*160"),
         *_steps("Impact", "s3 PutBucketLifecycleConfiguration")),
    ),
    Script(  # Bling Libra: S3 Browser and WinSCP, buckets emptied
        "buckets emptied", "T1485", ("user", "function"),
        (*_steps("S3Discovery", "s3 ListObjects*20", "s3 HeadObject*30"), *_steps("S3Exfiltration", "s3 GetObject*220"),
         *_steps("S3Delete", "s3 DeleteObject*240"), *_steps("Impact", "s3 DeleteBucket*2")),
    ),
    Script(  # ScarletEel: an instance's role, functions' code, the trail switched off
        "role of an instance", "T1552.005", ("instance", "function"),
        (*_WHO_AM_I,
         *_steps("Discovery", "lambda ListFunctions20150331", "lambda GetFunction20150331v2*6", "iam ListUsers",
                 "iam ListAttachedRolePolicies*3", "ec2 DescribeInstances*2", "iam ListAccessKeys*3"),
         *_steps("S3Discovery", "s3 ListObjects*9"), *_steps("S3Exfiltration", "s3 GetObject*90"),
         *_steps("DefenseEvasion", "cloudtrail PutEventSelectors", "cloudtrail UpdateTrail"),
         *_steps("Persistence", "iam CreateAccessKey*2")),
    ),
    Script(  # Scattered Spider: a help desk was talked over, and a console session goes from one service to the next
        "administrator by the help desk", "T1078.004", ("sso",),
        (*_steps("Discovery", "iam ListRoles*2", "iam ListSAMLProviders", "organizations ListAccounts",
                 "ec2 DescribeInstances*3", "ce GetCostAndUsage", "secretsmanager ListSecrets",
                 "ssm DescribeInstanceInformation"),
         *_steps("CredentialAccess", "secretsmanager GetSecretValue*9", "ec2 GetPasswordData*3"),
         *_steps("InitialAccess", "ssm StartSession*3", "ec2-instance-connect SendSerialConsoleSSHPublicKey"),
         *_steps("Persistence", "iam CreateUser", "iam CreateLoginProfile", "iam CreateAccessKey"),
         *_steps("PrivilegeEscalation", "iam AttachUserPolicy"),
         *_steps("DefenseEvasion", "guardduty UpdateDetector", "config StopConfigurationRecorder")),
    ),
    Script(  # JavaGhost: federation tokens for a console session, users and roles that trust another account
        "mail infrastructure abused", "T1078.004", ("user",),
        (*_WHO_AM_I, *_steps("InitialAccess", "sts GetFederationToken*2", "signin GetSigninToken*2"),
         *_steps("Discovery", "ses GetSendQuota*2", "ses GetAccount", "ses ListIdentities", "ses ListServiceQuotas"),
         *_steps("Persistence", "iam CreateUser*2", "iam CreateLoginProfile*2", "iam CreateRole"),
         *_steps("PrivilegeEscalation", "iam AttachUserPolicy*2", "iam UpdateAssumeRolePolicy")),
    ),
    Script(  # Ambersquid and cryptojackers of ECS: machines in every Region, and their end prevented
        "machines for mining", "T1496", ("user", "pipeline", "sso"),
        (*_WHO_AM_I,
         *_steps("Discovery", "ec2 DescribeRegions*2", "servicequotas GetServiceQuota*3",
                 "ec2 DescribeInstanceTypes*2"),
         *_steps("Persistence", "ec2 CreateKeyPair", "ec2 CreateSecurityGroup", "iam CreateServiceLinkedRole",
                 "autoscaling CreateAutoScalingGroup", "ecs RegisterTaskDefinition*2", "ecs CreateCluster*2"),
         *_steps("Impact", "ec2 RunInstances*12", "ecs RunTask*4")),
    ),
    Script(  # ShinyHunters and others: a copy of a disk or database is shared with another account
        "snapshots taken abroad", "T1537", ("user", "sso"),
        (*_steps("Discovery", "rds DescribeDBInstances", "ec2 DescribeVolumes", "rds DescribeDBSnapshots",
                 "ec2 DescribeSnapshots"),
         *_steps("Exfiltration", "ec2 CreateSnapshot*2", "ec2 ModifySnapshotAttribute*2", "rds CreateDBSnapshot",
                 "rds ModifyDBSnapshotAttribute")),
    ),
    Script(  # the Capital One incident and many since: a role reads buckets that it never did
        "a role that sees too much", "T1530", ("instance", "function"),
        (*_steps("Discovery", "s3 ListBuckets*2", "s3 GetBucketLocation*5"),
         *_steps("S3Discovery", "s3 ListObjects*12"), *_steps("S3Exfiltration", "s3 GetObject*420")),
    ),
    Script(  # Pacu's modules: rights are listed, then a way up is taken
        "a way up", "T1098.003", ("user", "function"),
        (*_WHO_AM_I,
         *_steps("Discovery", "iam GetUser", "iam ListUserPolicies", "iam ListAttachedUserPolicies",
                 "iam ListGroupsForUser", "iam GetPolicyVersion*3", "iam ListRoles", "iam SimulatePrincipalPolicy*2"),
         *_steps("PrivilegeEscalation", "iam PutUserPolicy", "iam CreatePolicyVersion", "iam SetDefaultPolicyVersion",
                 "iam AddUserToGroup"),
         *_steps("Persistence", "iam UpdateLoginProfile", "iam CreateAccessKey")),
    ),
    Script(  # secrets harvested after a laptop was robbed (infostealers), or from a build server
        "secrets harvested", "T1555.006", ("user", "sso", "pipeline"),
        (*_WHO_AM_I, *_steps("Discovery", "secretsmanager ListSecrets*2", "ssm DescribeParameters"),
         *_steps("CredentialAccess", "secretsmanager GetSecretValue*18", "secretsmanager BatchGetSecretValue*2")),
    ),
    Script(  # Lapsus$, and wipers: what a company runs on is destroyed
        "everything destroyed", "T1485", ("user", "sso"),
        (*_steps("Discovery", "ec2 DescribeInstances", "rds DescribeDBInstances", "kms ListKeys",
                 "backup ListBackupVaults"),
         *_steps("DefenseEvasion", "ec2 DeleteFlowLogs", "logs DeleteLogGroup*3", "monitoring DeleteAlarms"),
         *_steps("Impact", "kms ScheduleKeyDeletion*3", "dynamodb DeleteTable*2", "rds DeleteDBInstance*2",
                 "ec2 TerminateInstances*3", "backup DeleteRecoveryPoint*4")),
    ),
    Script(  # back doors that need no key: a function, a provider of identities, a trust anchor
        "ways back in", "T1098", ("user", "pipeline", "sso"),
        (*_steps("Discovery", "iam ListOpenIDConnectProviders", "lambda ListFunctions20150331"),
         *_steps("Persistence", "lambda AddPermission20150331v2", "lambda UpdateFunctionCode20150331v2",
                 "iam CreateOpenIDConnectProvider", "rolesanywhere CreateTrustAnchor", "rolesanywhere CreateProfile",
                 "lambda PublishLayerVersion20181031"),
         *_steps("PrivilegeEscalation", "iam AttachRolePolicy", "iam UpdateAssumeRolePolicy")),
    ),
    Script(  # a bucket is opened to carry it off without credentials
        "a bucket opened", "T1222", ("user", "sso"),
        (*_steps("Discovery", "s3 ListBuckets", "s3 GetBucketPolicy*3", "s3 GetBucketPublicAccessBlock*3"),
         *_steps("S3Discovery", "s3 GetObjectAcl*5", "s3 ListObjects*6"),
         *_steps("S3Permission", "s3 PutObjectAcl*14", "s3 PutBucketPolicy*2")),
    ),
)  # fmt: skip
"""Each with several types; every type of API callers is in some of them."""

DATA_EVENTS = ("ListObjects", "HeadObject", "GetObject", "PutObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl")
BUCKET_CALLS = (
    "DeleteBucket", "GetBucketLocation", "GetBucketPolicy", "GetBucketPublicAccessBlock",
    "PutBucketLifecycleConfiguration", "PutBucketPolicy",
)  # fmt: skip
