"""Changes and calls that are as they should be, though they look like what attackers do."""

from __future__ import annotations

from typing import Any

from guardray.simulate.addresses import public_address
from guardray.simulate.benign.occasion import HardNegative, Occasion
from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.labels import Label
from guardray.simulate.randomness import pick
from guardray.simulate.stage import in_a_row
from guardray.simulate.trail import configuration as change
from guardray.simulate.trail import identities
from guardray.simulate.trail.events import Call, Caller, bucket_call, caller, denied
from guardray.simulate.world import Bucket

TRAIL = "Stealth:IAMUser/CloudTrailLoggingDisabled"
PASSWORDS = "Stealth:IAMUser/PasswordPolicyChange"
ACCOUNT_BLOCK = "Policy:S3/AccountBlockPublicAccessDisabled"
BUCKET_BLOCK = "Policy:S3/BucketBlockPublicAccessDisabled"
ANYONE, AUTHENTICATED = "Policy:S3/BucketAnonymousAccessGranted", "Policy:S3/BucketPublicAccessGranted"
ACCESS_LOGS, PROMPT_LOGS = "Stealth:S3/ServerAccessLoggingDisabled", "DefenseEvasion:IAMUser/BedrockLoggingDisabled"
CALLERS = (
    "Recon:IAMUser/MaliciousIPCaller",
    "Recon:IAMUser/MaliciousIPCaller.Custom",
    "UnauthorizedAccess:IAMUser/MaliciousIPCaller",
    "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom",
    "Discovery:IAMUser/AnomalousBehavior",
)


def first_rollout(at: Occasion) -> Episode:
    """Terraform sets the account up at the very beginning: every later change is measured against this."""
    account, bucket_list = at.account, at.account.buckets
    data = account.buckets_for("data", "assets")
    planned: list[tuple[str, Call]] = [
        *((TRAIL, change.create_trail(trail)) for trail in account.trails),
        *((TRAIL, change.about_trail("StartLogging", trail)) for trail in account.trails),
        (PASSWORDS, change.password_policy(minimumPasswordLength=12)),
        (ACCOUNT_BLOCK, change.account_block(account, True)),
        *((BUCKET_BLOCK, change.bucket_block(account, bucket, True)) for bucket in bucket_list),
        *((ANYONE, change.bucket_policy(account, bucket, change.tls_statement(bucket))) for bucket in data),
        *((ACCESS_LOGS, change.access_logging(account, bucket, account.buckets_for("logs")[0])) for bucket in data),
        (ANYONE, change.group_acl(account, account.buckets_for("logs")[0], change.LOG_DELIVERY, "WRITE")),
        (PROMPT_LOGS, change.invocation_logging(account, account.buckets_for("logs")[0])),
        *(("", call) for call in _creations(at)),
    ]
    made = in_a_row(at.piece.start + 60, at.pipeline, *(call for _, call in planned), every=3.0)
    return Episode(
        tuple(_row(at, one, tempted) for one, (tempted, _) in zip(made, planned, strict=True) if tempted), made
    )


def _row(at: Occasion, made: TimedCall, tempted: str) -> Label:
    arn = str(made.by.identity["arn"])
    return at.label(made.time, made.time, actor=arn, tempts=(tempted,))


def _creations(at: Occasion) -> list[Call]:
    network = at.account.vpcs[0]
    return [
        Call("ec2", "CreateSecurityGroup", {"groupName": "web", "vpcId": network.id, "groupDescription": "web"}),
        Call("iam", "CreateRole", {"roleName": "web-instance-role", "assumeRolePolicyDocument": "{}"}),
        Call(
            "iam", "PutRolePolicy", {"roleName": "web-instance-role", "policyName": "buckets", "policyDocument": "{}"}
        ),
        Call("elasticloadbalancing", "CreateTargetGroup", {"name": "web", "port": 8080, "protocol": "HTTP"}),
        Call("autoscaling", "CreateAutoScalingGroup", {"autoScalingGroupName": "web", "minSize": 2, "maxSize": 12}),
        Call("logs", "CreateLogGroup", {"logGroupName": "/aws/lambda/ingest"}),
        Call("kms", "CreateKey", {"description": "buckets", "keyUsage": "ENCRYPT_DECRYPT"}),
    ]


def _changed(at: Occasion, by: Caller, *made: Call, time: float | None = None) -> Episode:
    found = in_a_row(at.moment() if time is None else time, by, *made)
    return Episode((at.label(found[0].time, found[-1].time, actor=str(by.identity["arn"])),), found)


def stronger_passwords(at: Occasion) -> Episode:
    """Before any attack: what is repaired later goes back to this."""
    return _changed(at, at.pipeline, change.password_policy(), time=at.piece.start + 0.1 * min(at.piece.seconds, 86400))


def policy_for_organisation(at: Occasion) -> Episode:
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    return _limited_policy(at, {"AWS": "*"}, condition)


def policy_for_offices(at: Occasion) -> Episode:
    condition = {"IpAddress": {"aws:SourceIp": [_network(ip) for ip in at.account.office_ips]}}
    return _limited_policy(at, "*", condition)


def policy_for_endpoint(at: Occasion) -> Episode:
    return _limited_policy(at, "*", {"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"}})


def policy_for_partner(at: Occasion) -> Episode:
    return _limited_policy(at, {"AWS": "arn:aws:iam::210987654321:root"}, None)


def _limited_policy(at: Occasion, principal: object, condition: dict[str, Any] | None) -> Episode:
    bucket = at.account.buckets_for("backup", "logs")[0]
    statements = (change.read_statement(bucket, principal, condition), change.tls_statement(bucket))
    return _changed(at, at.pipeline, change.bucket_policy(at.account, bucket, *statements))


def _network(number: int) -> str:
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/32"


def private_acl(at: Occasion) -> Episode:
    bucket = at.account.buckets_for("backup")[0]
    return _changed(at, at.pipeline, change.canned_acl(at.account, bucket, "bucket-owner-full-control"))


def moved_access_logs(at: Occasion) -> Episode:
    bucket, target = at.account.buckets_for("backup")[0], at.account.buckets_for("archive")[0]
    return _changed(at, at.pipeline, change.access_logging(at.account, bucket, target))


def trail_to_log_group(at: Occasion) -> Episode:
    group = f"arn:aws:logs:{at.account.region}:{at.account.id}:log-group:trail:*"
    return _changed(at, at.pipeline, change.update_trail(at.account.trail, cloudWatchLogsLogGroupArn=group))


def refused_changes(at: Occasion) -> Episode:
    """A curious developer may not stop the trail, open a bucket or lift the block."""
    account = at.account
    who = pick(at.rng, [person for person in account.people if person.duty == "developer"])
    by = caller(identities.person(account, who, at.piece.start), who.office_ip, who.sdk)
    bucket = account.buckets_for("data")[0]
    attempts = (
        change.about_trail("StopLogging", account.trail),
        change.bucket_policy(account, bucket, change.read_statement(bucket, "*")),
        change.account_block(account, False),
    )
    return _changed(at, by, *(denied(account, by, call) for call in attempts))


def deleted_scratch_bucket(at: Occasion) -> Episode:
    bucket = Bucket(f"{at.account.company}-scratch-{at.rng.integers(1000)}", "data")
    return _changed(
        at,
        at.pipeline,
        bucket_call(at.account, "CreateBucket", bucket),
        bucket_call(at.account, "DeleteBucket", bucket),
    )


def traveller(at: Occasion) -> Episode:
    """Someone works from a hotel."""
    who = pick(at.rng, at.account.people)
    by = caller(identities.person(at.account, who, at.piece.start), public_address(at.rng), who.sdk)
    return _changed(at, by, *_LOOKING)


def neighbour_of_listed_network(at: Occasion) -> Episode:
    """A home address right after a network on the custom list."""
    who = pick(at.rng, at.account.people)
    after = (at.indicators.addresses["custom"][-1] | 15) + 1
    return _changed(at, caller(identities.person(at.account, who, at.piece.start), after, who.sdk), *_LOOKING)


def trusted_office(at: Occasion) -> Episode:
    """An office whose address some feed lists, and which is on the trusted list."""
    who = pick(at.rng, at.account.people)
    office = pick(at.rng, at.indicators.addresses["trusted"])
    return _changed(at, caller(identities.person(at.account, who, at.piece.start), office, who.sdk), *_LOOKING)


_LOOKING = (
    Call("sts", "GetCallerIdentity"),
    Call("s3", "ListBuckets", {"Host": "s3.amazonaws.com"}),
    Call("ec2", "DescribeInstances", {"instancesSet": {}, "filterSet": {}}),
    Call("iam", "ListRoles", {"maxItems": 100}),
)


def names_like_distributions(at: Occasion) -> Episode:
    """People, buckets and programs whose names contain those of penetration testing distributions."""
    account = at.account
    who = next(iter(account.people))
    agent = "Boto3/1.38.36 md/Botocore#1.38.36 ua/2.1 os/linux#6.8.0-60-generic lang/python#3.12.3 app/parrotfish-sync"
    by = caller(identities.person(account, who, at.piece.start), who.office_ip, agent)
    return _changed(
        at,
        by,
        Call("iam", "GetUser", {"userName": "h.kalinowski"}),
        bucket_call(account, "GetBucketAcl", account.buckets[-1]),
    )


def root_by_service(at: Occasion) -> Episode:
    """CloudFormation acts for the root user (part of the everyday calls)."""
    arn = f"arn:aws:iam::{at.account.id}:root"
    return Episode((at.label(at.piece.start, at.piece.end - 1, actor=arn),))


def daily_audit(at: Occasion) -> Episode:
    """The posture scanner that lists everything (part of the everyday calls)."""
    return _everyday(at, "posture-audit")


def daily_backup(at: Occasion) -> Episode:
    """The backup that reads everything (part of the everyday data events)."""
    return _everyday(at, "nightly-backup")


def _everyday(at: Occasion, role: str) -> Episode:
    arn = at.account.workload(role).arn(at.account.id)
    return Episode((at.label(at.piece.start, at.piece.end - 1, actor=arn),))


HARD_NEGATIVES = (
    HardNegative("first rollout", (TRAIL,), first_rollout),
    HardNegative("stronger passwords", (PASSWORDS,), stronger_passwords),
    HardNegative("bucket policy for the organisation", (ANYONE, AUTHENTICATED), policy_for_organisation),
    HardNegative("bucket policy for the offices", (ANYONE, AUTHENTICATED), policy_for_offices),
    HardNegative("bucket policy for a VPC endpoint", (ANYONE, AUTHENTICATED), policy_for_endpoint),
    HardNegative("bucket policy for a partner's account", (ANYONE, AUTHENTICATED), policy_for_partner),
    HardNegative("private bucket ACL", (ANYONE, AUTHENTICATED), private_acl),
    HardNegative("access logs moved", (ACCESS_LOGS,), moved_access_logs),
    HardNegative("trail also into a log group", (TRAIL,), trail_to_log_group),
    HardNegative("refused changes", (TRAIL, ANYONE, ACCOUNT_BLOCK), refused_changes, daily=True),
    HardNegative("scratch bucket deleted", (TRAIL,), deleted_scratch_bucket, daily=True),
    HardNegative("traveller", CALLERS, traveller, daily=True),
    HardNegative("address beside a listed network", CALLERS, neighbour_of_listed_network, daily=True),
    HardNegative("listed but trusted office", CALLERS, trusted_office, daily=True),
    HardNegative(
        "names like distributions",
        tuple(f"PenTest:{r}/{d}Linux" for r in ("IAMUser", "S3") for d in ("Kali", "Parrot", "Pentoo")),
        names_like_distributions,
        daily=True,
    ),
    HardNegative("service acting for root", ("Policy:IAMUser/RootCredentialUsage",), root_by_service, daily=True),
    HardNegative("posture scan", CALLERS, daily_audit, daily=True),
    HardNegative(
        "backup reads everything",
        ("Exfiltration:S3/AnomalousBehavior", "Discovery:S3/AnomalousBehavior"),
        daily_backup,
        daily=True,
    ),
)
