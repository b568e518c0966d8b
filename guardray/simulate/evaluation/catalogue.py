"""The long tail of operations: what people call once in a while beside what they call every day.

Most of it reads. Consoles read on behalf of whoever looks at a page, and each page asks services that its visitor has
never heard of.
"""

from __future__ import annotations

from guardray.simulate.trail.events import Call


def _calls(*lines: str) -> tuple[Call, ...]:
    """Calls of lines such as `ec2 DescribeImages DescribeAddresses`."""
    return tuple(Call(service, name) for line in lines for service, *names in [line.split()] for name in names)


PAGES: tuple[tuple[Call, ...], ...] = tuple(
    _calls(line)
    for line in (
        "ec2 DescribeAddresses DescribeImages DescribeKeyPairs DescribeLaunchTemplates DescribePlacementGroups",
        "ec2 DescribeRouteTables DescribeNatGateways DescribeInternetGateways DescribeVpcEndpoints DescribeDhcpOptions",
        "ec2 DescribeSnapshots DescribeSpotInstanceRequests DescribeReservedInstances DescribeInstanceTypes",
        "iam ListPolicies ListGroups GetRole ListRolePolicies ListAttachedRolePolicies ListInstanceProfiles",
        "iam GetPolicy GetPolicyVersion GetAccountAuthorizationDetails ListSAMLProviders ListServerCertificates",
        "rds DescribeDBClusters DescribeDBSnapshots DescribeDBSubnetGroups DescribePendingMaintenanceActions",
        "lambda ListLayers20181031 ListEventSourceMappings20150331 GetAccountSettings20160819 GetPolicy20150331v2",
        "ecs ListClusters DescribeClusters ListServices DescribeServices DescribeTaskDefinition ListTasks",
        "eks ListClusters DescribeCluster ListNodegroups DescribeAddonVersions",
        "cloudfront ListDistributions ListCachePolicies GetDistribution ListFunctions",
        "route53 ListHostedZones ListResourceRecordSets GetHostedZoneCount",
        "acm ListCertificates DescribeCertificate",
        "dynamodb ListTables DescribeContinuousBackups DescribeLimits ListBackups",
        "sns ListTopics ListSubscriptions GetTopicAttributes",
        "kms ListKeys DescribeKey GetKeyPolicy GetKeyRotationStatus",
        "secretsmanager ListSecrets DescribeSecret",
        "ssm DescribeParameters GetParametersByPath ListDocuments DescribeInstancePatchStates",
        "cloudformation ListStacks DescribeStackEvents GetTemplate ListExports",
        "guardduty ListDetectors GetDetector ListFindings",
        "config DescribeConfigRules DescribeComplianceByConfigRule DescribeConfigurationRecorderStatus",
        "securityhub GetFindings DescribeHub GetEnabledStandards",
        "organizations DescribeOrganization ListAccounts ListRoots",
        "sagemaker ListNotebookInstances ListTrainingJobs ListEndpoints ListDomains",
        "bedrock ListFoundationModels ListModelInvocationJobs GetFoundationModelAvailability",
        "glue GetJobs GetCrawlers GetPartitions GetJobRuns",
        "athena ListWorkGroups ListNamedQueries ListDataCatalogs",
        "redshift DescribeClusters DescribeClusterSnapshots",
        "elasticache DescribeCacheClusters DescribeReplicationGroups",
        "wafv2 ListWebACLs GetWebACL ListIPSets",
        "servicequotas ListServiceQuotas GetServiceQuota ListRequestedServiceQuotaChangeHistory",
        "support DescribeCases DescribeTrustedAdvisorChecks",
        "ce GetCostForecast GetReservationUtilization GetDimensionValues",
        "budgets DescribeBudgets ViewBudget",
        "states ListStateMachines DescribeExecution ListExecutions",
        "events ListRules ListEventBuses ListTargetsByRule",
        "ses GetSendQuota ListIdentities GetAccount",
        "s3 GetBucketVersioning GetBucketEncryption GetLifecycleConfiguration GetBucketLogging GetBucketReplication",
        "logs StartQuery GetQueryResults DescribeQueries DescribeMetricFilters",
        "codebuild ListProjects BatchGetProjects BatchGetBuilds",
        "codepipeline ListPipelines GetPipelineState",
        "transfer ListServers DescribeServer",
        "backup ListBackupPlans ListRecoveryPointsByBackupVault DescribeBackupVault",
    )
)
"""What a page of the console, or a question that somebody has, asks for."""

CHORES: dict[str, tuple[tuple[Call, ...], ...]] = {
    "developer": (
        _calls("lambda CreateFunction20150331 AddPermission20150331v2 PublishVersion20150331"),
        _calls("lambda UpdateFunctionConfiguration20150331v2 PutFunctionConcurrency20171031"),
        _calls("dynamodb CreateTable UpdateTable TagResource"),
        _calls("sqs CreateQueue SetQueueAttributes", "sns Subscribe"),
        _calls("logs PutRetentionPolicy CreateLogGroup", "monitoring PutMetricAlarm PutDashboard"),
        _calls("ecr CreateRepository PutImageScanningConfiguration PutLifecyclePolicy"),
        _calls("events PutRule PutTargets DisableRule EnableRule"),
        _calls("states UpdateStateMachine StartExecution StopExecution"),
        _calls("secretsmanager GetSecretValue"),
        _calls("iam PassRole CreateRole AttachRolePolicy"),
    ),
    "operator": (
        _calls("ec2 StopInstances StartInstances ModifyInstanceAttribute"),
        _calls("ec2 AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress"),
        _calls("ec2 CreateImage DeregisterImage DeleteSnapshot CopyImage"),
        _calls("ec2 AllocateAddress AssociateAddress ReleaseAddress"),
        _calls("rds CreateDBSnapshot ModifyDBInstance RebootDBInstance DeleteDBSnapshot"),
        _calls("autoscaling UpdateAutoScalingGroup StartInstanceRefresh TerminateInstanceInAutoScalingGroup"),
        _calls("monitoring DeleteAlarms DisableAlarmActions EnableAlarmActions"),
        _calls("ssm PutParameter CreateMaintenanceWindow TerminateSession"),
        _calls("elasticloadbalancing ModifyTargetGroup RegisterTargets DeregisterTargets"),
        _calls("logs DeleteLogGroup CreateExportTask"),
    ),
    "administrator": (
        _calls("iam CreateUser CreateLoginProfile AddUserToGroup TagUser"),
        _calls("iam DeleteLoginProfile RemoveUserFromGroup DetachUserPolicy DeleteUser"),
        _calls("iam CreatePolicyVersion DeletePolicyVersion SetDefaultPolicyVersion"),
        _calls("iam UpdateAssumeRolePolicy PutRolePolicy AttachRolePolicy"),
        _calls("iam DeactivateMFADevice EnableMFADevice UpdateLoginProfile"),
        _calls("kms PutKeyPolicy EnableKeyRotation CreateGrant"),
        _calls("guardduty UpdateDetector CreateFilter ArchiveFindings"),
        _calls("config PutConfigRule DeleteConfigRule"),
        _calls("s3 PutBucketPolicy PutBucketLifecycleConfiguration"),
        _calls("organizations CreateAccount TagResource"),
    ),
    "analyst": (
        _calls("glue CreateTable UpdateTable StartCrawler StartJobRun"),
        _calls("athena CreateNamedQuery CreateWorkGroup StopQueryExecution"),
        _calls("quicksight CreateDataSet UpdateDashboard CreateAnalysis"),
        _calls("redshift ExecuteStatement GetClusterCredentials"),
        _calls("sagemaker CreateNotebookInstance StartNotebookInstance StopNotebookInstance"),
        _calls("dynamodb ExportTableToPointInTime", "rds StartExportTask"),
    ),
}
"""What somebody of a duty changes, but not every week."""

INCIDENT_RESPONSE = _calls(
    "cloudtrail LookupEvents GetTrailStatus",
    "logs StartQuery GetQueryResults FilterLogEvents",
    "ec2 DescribeInstances StopInstances RebootInstances CreateSnapshot ModifyInstanceAttribute",
    "rds DescribeEvents RebootDBInstance FailoverDBCluster RestoreDBInstanceToPointInTime",
    "autoscaling SetDesiredCapacity SuspendProcesses ResumeProcesses",
    "elasticloadbalancing DeregisterTargets RegisterTargets",
    "secretsmanager GetSecretValue",
    "route53 ChangeResourceRecordSets",
    "lambda UpdateFunctionConfiguration20150331v2",
)
"""What a night with an outage takes."""

CLEANUP = _calls(
    "ec2 DeleteSnapshot DeleteVolume DeregisterImage ReleaseAddress TerminateInstances DeleteSecurityGroup",
    "logs DeleteLogGroup",
    "iam DeleteRole DeleteRolePolicy DetachRolePolicy DeleteAccessKey",
    "lambda DeleteFunction20150331",
    "monitoring DeleteAlarms",
    "dynamodb DeleteTable",
    "sqs DeleteQueue",
)

STACK = _calls(
    "ec2 CreateVpc CreateSubnet CreateSecurityGroup AuthorizeSecurityGroupIngress RunInstances CreateTags",
    "iam CreateRole PutRolePolicy AttachRolePolicy CreateInstanceProfile AddRoleToInstanceProfile PassRole",
    "rds CreateDBSubnetGroup CreateDBInstance",
    "elasticloadbalancing CreateLoadBalancer CreateTargetGroup CreateListener",
    "kms CreateKey CreateAlias",
    "secretsmanager CreateSecret GetSecretValue PutSecretValue",
    "lambda CreateFunction20150331 AddPermission20150331v2",
    "events PutRule PutTargets",
    "route53 ChangeResourceRecordSets",
    "ecs CreateCluster RegisterTaskDefinition CreateService",
    "elasticache CreateReplicationGroup",
    "cloudfront CreateDistribution",
    "wafv2 CreateWebACL AssociateWebACL",
)
"""What Terraform sets up and alters."""

TEARDOWN = _calls(
    "ec2 TerminateInstances DeleteSecurityGroup DeleteSubnet DeleteVpc DeleteFlowLogs",
    "iam DeleteRolePolicy DetachRolePolicy DeleteInstanceProfile DeleteRole",
    "rds DeleteDBInstance",
    "elasticloadbalancing DeleteListener DeleteTargetGroup DeleteLoadBalancer",
    "kms ScheduleKeyDeletion",
    "logs DeleteLogGroup",
    "lambda DeleteFunction20150331",
    "secretsmanager DeleteSecret",
    "events RemoveTargets DeleteRule",
)
"""What Terraform takes down again."""

REFRESH = _calls(
    "ec2 DescribeVpcs DescribeSubnets DescribeSecurityGroups DescribeInstances DescribeVolumes DescribeTags",
    "iam GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole GetPolicy GetPolicyVersion",
    "rds DescribeDBInstances ListTagsForResource",
    "elasticloadbalancing DescribeLoadBalancers DescribeTargetGroups DescribeListeners",
    "kms DescribeKey GetKeyPolicy ListResourceTags",
    "lambda GetFunction20150331v2 ListVersionsByFunction20150331",
    "sts GetCallerIdentity",
    "logs DescribeLogGroups",
    "events DescribeRule",
)
"""What Terraform asks for on every run."""

POSTURE = _calls(
    "iam ListUsers ListRoles ListPolicies GetAccountAuthorizationDetails GetCredentialReport ListMFADevices",
    "ec2 DescribeInstances DescribeSecurityGroups DescribeVolumes DescribeSnapshots DescribeFlowLogs DescribeRegions",
    "s3 ListBuckets GetBucketAcl GetBucketPolicy GetBucketPublicAccessBlock GetBucketEncryption GetBucketLogging",
    "kms ListKeys GetKeyRotationStatus",
    "rds DescribeDBInstances DescribeDBSnapshots DescribeDBSnapshotAttributes",
    "cloudtrail DescribeTrails GetTrailStatus GetEventSelectors",
    "guardduty ListDetectors GetDetector",
    "config DescribeConfigurationRecorders",
    "lambda ListFunctions20150331 GetPolicy20150331v2",
    "eks ListClusters",
    "ecr DescribeRepositories GetRepositoryPolicy",
    "secretsmanager ListSecrets GetResourcePolicy",
    "organizations DescribeOrganization ListAccounts",
    "access-analyzer ListAnalyzers",
)
"""What a product or a person that judges the security of an account reads."""
