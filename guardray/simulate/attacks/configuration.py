"""Someone with a stolen key switches off what records or protects: trails, password rules, bucket settings."""

from __future__ import annotations

from guardray.simulate.attacks.scene import Attack, Scene
from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.randomness import pick
from guardray.simulate.trail import configuration as change
from guardray.simulate.trail.events import Call, bucket_call
from guardray.simulate.world import Bucket
from guardray.simulate.world.storage import Purpose

REPAIR_S, RETURN_S = 600.0, 1200.0  # the pipeline puts things right; the attacker comes back


def _once(scene: Scene, call: Call, *also: str) -> Episode:
    made = scene.by_key(scene.moment(), call)
    return Episode((scene.of_victim(made, *also),), made)


def _twice(scene: Scene, first: Call, repair: Call, second: Call, *also: str) -> Episode:
    """Two ways to do the same damage, with a repair between them."""
    time = scene.moment(RETURN_S)
    damage, again = scene.by_key(time, first), scene.by_key(time + RETURN_S, second)
    labels = (scene.of_victim(damage, *also, variant=first.name), scene.of_victim(again, *also, variant=second.name))
    return Episode(labels, (*damage, repaired(scene, time + REPAIR_S, repair), *again))


def repaired(scene: Scene, time: float, call: Call) -> TimedCall:
    """The deployment pipeline sets something as it should be."""
    return TimedCall(time, scene.pipeline, call)


def stop_trail(scene: Scene) -> Episode:
    trail = scene.account.trail
    made = scene.by_key(scene.moment(REPAIR_S), change.about_trail("StopLogging", trail))
    again = repaired(scene, made[0].time + REPAIR_S, change.about_trail("StartLogging", trail))
    return Episode((scene.of_victim(made),), (*made, again))


def narrow_trail(scene: Scene) -> Episode:
    regional = scene.account.trails[1]
    return _once(scene, change.update_trail(regional, isMultiRegionTrail=False, includeGlobalServiceEvents=False))


def delete_trail(scene: Scene) -> Episode:
    return _once(scene, change.about_trail("DeleteTrail", scene.account.trails[2]))


def delete_trail_bucket(scene: Scene) -> Episode:
    bucket = scene.account.trails[3].bucket
    return _once(scene, bucket_call(scene.account, "DeleteBucket", bucket))


def weaken_passwords(scene: Scene) -> Episode:
    weak = change.password_policy(minimumPasswordLength=6, requireSymbols=False, requireNumbers=False)
    return _twice(scene, weak, change.password_policy(), Call("iam", "DeleteAccountPasswordPolicy"))


def unblock_account(scene: Scene) -> Episode:
    account = scene.account
    off, on = change.account_block(account, False), change.account_block(account, True)
    return _twice(scene, off, on, change.delete_account_block(account))


def unblock_bucket(scene: Scene) -> Episode:
    account, bucket = scene.account, some_bucket(scene)
    off, on = change.bucket_block(account, bucket, False), change.bucket_block(account, bucket, True)
    delete = bucket_call(account, "DeleteBucketPublicAccessBlock", bucket, publicAccessBlock="")
    return _twice(scene, off, on, delete, bucket.name)


def _opened(scene: Scene, bucket: Bucket, call: Call) -> Episode:
    """A bucket is opened; the pipeline closes it again, so that the next attack on it changes something."""
    made = scene.by_key(scene.moment(REPAIR_S), call)
    account = scene.account
    is_policy = call.name == "PutBucketPolicy"
    private = change.bucket_policy(account, bucket, change.tls_statement(bucket))
    closing = private if is_policy else change.canned_acl(account, bucket, "private")
    closed = repaired(scene, made[0].time + REPAIR_S, closing)
    return Episode((scene.of_victim(made, bucket.name),), (*made, closed))


def open_by_policy(scene: Scene) -> Episode:
    bucket = some_bucket(scene, "assets")
    return _opened(scene, bucket, change.bucket_policy(scene.account, bucket, change.read_statement(bucket, "*")))


def open_by_acl(scene: Scene) -> Episode:
    bucket = some_bucket(scene, "assets")
    return _opened(scene, bucket, change.group_acl(scene.account, bucket, change.ALL_USERS, "READ"))


def open_by_canned_acl(scene: Scene) -> Episode:
    bucket = some_bucket(scene, "assets")
    return _opened(scene, bucket, change.canned_acl(scene.account, bucket, "public-read"))


def open_to_accounts_by_policy(scene: Scene) -> Episode:
    bucket = some_bucket(scene, "data")
    condition = {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}
    shared = change.read_statement(bucket, {"AWS": "*"}, condition)
    return _opened(scene, bucket, change.bucket_policy(scene.account, bucket, shared))


def open_to_accounts_by_acl(scene: Scene) -> Episode:
    bucket = some_bucket(scene, "data")
    return _opened(scene, bucket, change.group_acl(scene.account, bucket, change.AUTHENTICATED_USERS, "READ"))


def stop_access_logging(scene: Scene) -> Episode:
    bucket = some_bucket(scene)
    return _once(scene, change.access_logging(scene.account, bucket, None), bucket.name)


def stop_invocation_logging(scene: Scene) -> Episode:
    return _once(scene, Call("bedrock", "DeleteModelInvocationLoggingConfiguration"))


def some_bucket(scene: Scene, *purposes: Purpose) -> Bucket:
    """A bucket of these purposes. Those that are opened to everyone are never those that are shared with accounts."""
    return pick(scene.rng, scene.account.buckets_for(*(purposes or ("data", "assets"))))


_TRAIL = "Stealth:IAMUser/CloudTrailLoggingDisabled"
_ANYONE, _AUTHENTICATED = "Policy:S3/BucketAnonymousAccessGranted", "Policy:S3/BucketPublicAccessGranted"

ATTACKS = (
    Attack(_TRAIL, "a trail is stopped", "T1562.008", stop_trail),
    Attack(_TRAIL, "a trail is narrowed", "T1562.008", narrow_trail),
    Attack(_TRAIL, "a trail is deleted", "T1562.008", delete_trail),
    Attack(_TRAIL, "the bucket of a trail is deleted", "T1562.008", delete_trail_bucket),
    Attack("Stealth:IAMUser/PasswordPolicyChange", "the password policy is weakened", "T1556.009", weaken_passwords),
    Attack("Policy:S3/AccountBlockPublicAccessDisabled", "the account's block is lifted", "T1578.005", unblock_account),
    Attack("Policy:S3/BucketBlockPublicAccessDisabled", "a bucket's block is lifted", "T1578.005", unblock_bucket),
    Attack(_ANYONE, "a bucket is opened by policy", "T1537", open_by_policy),
    Attack(_ANYONE, "a bucket is opened by ACL", "T1537", open_by_acl),
    Attack(_ANYONE, "a bucket is opened by canned ACL", "T1537", open_by_canned_acl),
    Attack(_AUTHENTICATED, "a bucket is shared with all accounts by policy", "T1537", open_to_accounts_by_policy),
    Attack(_AUTHENTICATED, "a bucket is shared with all accounts by ACL", "T1537", open_to_accounts_by_acl),
    Attack("Stealth:S3/ServerAccessLoggingDisabled", "access logging is stopped", "T1562.008", stop_access_logging),
    Attack(
        "DefenseEvasion:IAMUser/BedrockLoggingDisabled",
        "prompt logging is stopped",
        "T1562.008",
        stop_invocation_logging,
    ),
)
