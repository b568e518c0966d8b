"""Everyday API calls, by what people and programs are there for.

A `$word` in a parameter stands for something of the account: `fill` puts one in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from guardray.simulate.randomness import pick, token
from guardray.simulate.trail.events import Call
from guardray.simulate.world import Account

_ONE_INSTANCE = {"instancesSet": {"items": [{"instanceId": "$instance"}]}, "filterSet": {}}
_NO_FILTER: dict[str, Any] = {"filterSet": {}}
_BUCKET = {"bucketName": "$bucket", "Host": "$bucket.s3.amazonaws.com"}

LOOKING_AROUND = (
    Call("ec2", "DescribeInstances", {"maxResults": 1000, "instancesSet": {}, "filterSet": {}}),
    Call("ec2", "DescribeInstances", _ONE_INSTANCE),
    Call("ec2", "DescribeSecurityGroups", {"securityGroupSet": {}, "securityGroupIdSet": {}, "filterSet": {}}),
    Call("ec2", "DescribeVpcs", {"vpcSet": {}, **_NO_FILTER}),
    Call("ec2", "DescribeSubnets", {"subnetSet": {}, **_NO_FILTER}),
    Call("ec2", "DescribeVolumes", {"volumeSet": {}, **_NO_FILTER}),
    Call("ec2", "DescribeNetworkInterfaces", {"networkInterfaceIdSet": {}, **_NO_FILTER}),
    Call("ec2", "DescribeInstanceStatus", _ONE_INSTANCE),
    Call("elasticloadbalancing", "DescribeLoadBalancers", {"pageSize": 100}),
    Call(
        "elasticloadbalancing",
        "DescribeTargetHealth",
        {"targetGroupArn": "arn:aws:elasticloadbalancing:$region:$account:targetgroup/web/1"},
    ),
    Call("autoscaling", "DescribeAutoScalingGroups", {"maxRecords": 100}),
    Call("monitoring", "DescribeAlarms", {"maxRecords": 100}),
    Call("logs", "DescribeLogGroups", {"limit": 50}),
    Call("health", "DescribeEventAggregates", {"aggregateField": "eventTypeCategory"}),
    Call("s3", "ListBuckets", {"Host": "s3.$region.amazonaws.com"}),
    Call("rds", "DescribeDBInstances", {"maxRecords": 100}),
    Call("tagging", "GetResources", {"resourcesPerPage": 100}),
)
BUILDING = (
    Call("lambda", "ListFunctions20150331", {"maxItems": 50}),
    Call("lambda", "GetFunction20150331v2", {"functionName": "$function"}),
    Call("lambda", "UpdateFunctionCode20150331v2", {"functionName": "$function", "publish": False, "dryRun": False}),
    Call("logs", "FilterLogEvents", {"logGroupName": "/aws/lambda/$function"}),
    Call("logs", "DescribeLogStreams", {"logGroupName": "/aws/lambda/$function", "descending": True, "limit": 10}),
    Call("ecr", "GetAuthorizationToken", {}),
    Call("ecr", "DescribeRepositories", {"maxResults": 100}),
    Call("cloudformation", "DescribeStacks", {"stackName": "$function"}),
    Call("s3", "GetBucketLocation", {**_BUCKET, "location": ""}),
    Call("s3", "GetBucketTagging", {**_BUCKET, "tagging": ""}),
    Call("secretsmanager", "DescribeSecret", {"secretId": "$function/config"}),
    Call("sts", "GetCallerIdentity", None),
    Call("dynamodb", "DescribeTable", {"tableName": "$function"}),
    Call("sqs", "GetQueueAttributes", {"queueUrl": "https://sqs.$region.amazonaws.com/$account/$function"}),
)
OPERATING = (
    Call("ssm", "StartSession", {"target": "$instance"}),
    Call("ssm", "DescribeInstanceInformation", {"maxResults": 50}),
    Call(
        "ssm",
        "SendCommand",
        {
            "documentName": "AWS-RunPatchBaseline",
            "instanceIds": ["$instance"],
            "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS",
        },
    ),
    Call("ec2", "RebootInstances", {"instancesSet": {"items": [{"instanceId": "$instance"}]}}),
    Call("ec2", "CreateSnapshot", {"volumeId": "vol-$hex", "description": "before maintenance"}),
    Call(
        "ec2",
        "CreateTags",
        {
            "resourcesSet": {"items": [{"resourceId": "$instance"}]},
            "tagSet": {"items": [{"key": "owner", "value": "$user"}]},
        },
    ),
    Call(
        "autoscaling",
        "SetDesiredCapacity",
        {"autoScalingGroupName": "web", "desiredCapacity": 4, "honorCooldown": False},
    ),
    Call("cloudtrail", "LookupEvents", {"maxResults": 50}),
    Call("cloudtrail", "DescribeTrails", {"includeShadowTrails": True, "trailNameList": []}),
    Call("cloudtrail", "GetTrailStatus", {"name": "$trail"}),
    Call("kms", "ListAliases", {"limit": 100}),
    Call("backup", "ListBackupJobs", {}),
)
GOVERNING = (
    Call("iam", "ListUsers", {"maxItems": 100}),
    Call("iam", "ListRoles", {"maxItems": 1000}),
    Call("iam", "GetUser", {"userName": "$user"}),
    Call("iam", "ListAttachedUserPolicies", {"userName": "$user"}),
    Call("iam", "ListAccessKeys", {"userName": "$user"}),
    Call("iam", "GetAccountSummary", None),
    Call("iam", "GetAccountPasswordPolicy", None),
    Call("iam", "ListMFADevices", {"userName": "$user"}),
    Call("iam", "AddUserToGroup", {"groupName": "developers", "userName": "$user"}),
    Call("iam", "GenerateCredentialReport", None),
    Call("s3", "GetBucketPolicy", {**_BUCKET, "policy": ""}),
    Call("s3", "GetBucketAcl", {**_BUCKET, "acl": ""}),
    Call("s3", "GetBucketPublicAccessBlock", {**_BUCKET, "publicAccessBlock": ""}),
    Call("bedrock", "GetModelInvocationLoggingConfiguration", None),
    Call("access-analyzer", "ListFindings", {"analyzerArn": "arn:aws:access-analyzer:$region:$account:analyzer/main"}),
    Call("ce", "GetCostAndUsage", {"granularity": "MONTHLY", "metrics": ["UnblendedCost"]}),
)
REPORTING = (
    Call("athena", "StartQueryExecution", {"queryString": "HIDDEN_DUE_TO_SECURITY_REASONS", "workGroup": "primary"}),
    Call("athena", "GetQueryExecution", {"queryExecutionId": "$uuid"}),
    Call("athena", "GetQueryResults", {"queryExecutionId": "$uuid", "maxResults": 1000}),
    Call("glue", "GetTables", {"databaseName": "reports", "maxResults": 100}),
    Call("glue", "GetDatabases", {"maxResults": 100}),
    Call("quicksight", "DescribeDashboard", {"awsAccountId": "$account", "dashboardId": "$uuid"}),
    Call("s3", "GetBucketLocation", {**_BUCKET, "location": ""}),
    Call("sts", "GetCallerIdentity", None),
)
BY_DUTY = {
    "administrator": GOVERNING + LOOKING_AROUND[:8] + OPERATING[7:10],
    "developer": BUILDING + LOOKING_AROUND,
    "operator": OPERATING + LOOKING_AROUND,
    "analyst": REPORTING + LOOKING_AROUND[14:],
}
OF_FUNCTIONS = (
    Call("secretsmanager", "GetSecretValue", {"secretId": "$function/config"}),
    Call(
        "kms",
        "Decrypt",
        {
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "encryptionContext": {"aws:lambda:FunctionArn": "arn:aws:lambda:$region:$account:function:$function"},
        },
    ),
    Call("ssm", "GetParameter", {"name": "/$function/endpoint", "withDecryption": True}),
    Call("logs", "CreateLogStream", {"logGroupName": "/aws/lambda/$function", "logStreamName": "2026/$hex"}),
)
OF_INSTANCES = (
    Call(
        "ssm",
        "UpdateInstanceInformation",
        {"agentName": "amazon-ssm-agent", "platformType": "Linux", "instanceId": "$instance"},
    ),
    Call("ssm", "ListInstanceAssociations", {"instanceId": "$instance", "maxResults": 20}),
    Call("sqs", "GetQueueUrl", {"queueName": "jobs"}),
    Call("ec2", "DescribeTags", {"maxResults": 1000, **_NO_FILTER}),
    Call("kms", "GenerateDataKey", {"keySpec": "AES_256", "keyId": "arn:aws:kms:$region:$account:key/$uuid"}),
)
OF_AUDITS = GOVERNING[:5] + GOVERNING[10:14] + LOOKING_AROUND + BUILDING[:2] + OPERATING[8:11]


def fill(call: Call, account: Account, rng: np.random.Generator, **known: str) -> Call:
    """The call with its `$words` replaced, by `known` or by something that the account has."""
    if call.request is None:
        return call
    instances = [one.instance for one in account.interfaces if one.instance]
    words = {
        "$instance": pick(rng, instances),
        "$bucket": pick(rng, account.buckets).name,
        "$function": pick(rng, [one.session for one in account.workloads if one.service == "lambda"]),
        "$user": pick(rng, account.people).name,
        "$trail": account.trail.arn,
        "$region": account.region,
        "$account": account.id,
        "$uuid": f"{token(rng, 8)}-{token(rng, 4)}-4{token(rng, 3)}-a{token(rng, 3)}-{token(rng, 12)}",
        "$hex": token(rng, 17),
    }
    words |= {f"${name}": value for name, value in known.items()}
    return replace(call, request=_filled(call.request, words))


def _filled(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, words) for inner in value]
    if isinstance(value, str) and "$" in value:
        for word, replacement in words.items():
            value = value.replace(word, replacement)
    return value
