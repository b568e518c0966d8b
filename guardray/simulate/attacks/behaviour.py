"""Callers who behave as the account's own never did: with stolen keys, sessions of workloads, and passwords.

All but the last two kinds come after days of history, each kind from a data centre of its own: what one of them did is
known afterwards.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from guardray.simulate.attacks.scene import BEHAVIOUR_OF_CALLERS, STOLEN_KEY_AGENT, Attack, Scene
from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.labels import Label
from guardray.simulate.networks import ACCESS, HOSTING, address_in
from guardray.simulate.randomness import KEY_LETTERS, pick, token
from guardray.simulate.stage import in_a_row
from guardray.simulate.trail import identities
from guardray.simulate.trail.events import Call, Caller, caller, object_call
from guardray.simulate.trail.identities import Identity
from guardray.simulate.trail.office import console_login
from guardray.simulate.world import Bucket, Person, Workload
from guardray.simulate.world.people import BROWSERS

HISTORY_DAYS = 8
"""A week is learned from whole days, and the first day may lack some of its hours."""

_SECRET = {"secretId": "orders/database"}
_SNAPSHOT = {"snapshotId": "snap-0a1b2c3d4e5f60718", "attributeType": "CREATE_VOLUME_PERMISSION"}
_BACKDOOR = {"userName": "svc-backup"}
_ADMIN = _BACKDOOR | {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}

CALLS: dict[str, tuple[str, tuple[Call, ...]]] = {
    "CredentialAccess": (
        "T1555.006",
        (
            Call("secretsmanager", "GetSecretValue", _SECRET),
            Call("ec2", "GetPasswordData", {"instanceId": "i-0a1b2c3d"}),
        ),
    ),
    "DefenseEvasion": (
        "T1562.008",
        (
            Call("ec2", "DeleteFlowLogs", {"DeleteFlowLogsRequest": {"FlowLogId": "fl-0a1b2c3d4e5f60718"}}),
            Call("logs", "DeleteLogGroup", {"logGroupName": "/aws/lambda/ingest"}),
            Call("monitoring", "DisableAlarmActions", {"alarmNames": ["errors"]}),
        ),
    ),
    "Discovery": (
        "T1580",
        tuple(
            Call(service, name)
            for service, name in (
                ("iam", "ListPolicies"),
                ("iam", "ListGroups"),
                ("iam", "ListInstanceProfiles"),
                ("iam", "GetAccountAuthorizationDetails"),
                ("redshift", "DescribeClusters"),
                ("eks", "ListClusters"),
                ("organizations", "ListAccounts"),
                ("ssm", "DescribeParameters"),
            )
        ),
    ),
    "Exfiltration": (
        "T1537",
        (
            Call("ec2", "ModifySnapshotAttribute", _SNAPSHOT | {"createVolumePermission": {"add": {}}}),
            Call("rds", "RestoreDBInstanceFromDBSnapshot", {"dBInstanceIdentifier": "copy"}),
        ),
    ),
    "Impact": (
        "T1485",
        (
            Call("kms", "ScheduleKeyDeletion", {"keyId": "alias/buckets", "pendingWindowInDays": 7}),
            Call("dynamodb", "DeleteTable", {"tableName": "orders"}),
        ),
    ),
    "InitialAccess": (
        "T1078.004",
        (
            Call("sts", "GetFederationToken", {"name": "console", "durationSeconds": 43200}),
            Call("ssm", "StartSession", {"target": "i-0a1b2c3d4e5f60718"}),
        ),
    ),
    "Persistence": (
        "T1136.003",
        (
            Call("iam", "CreateUser", _BACKDOOR),
            Call("iam", "CreateAccessKey", _BACKDOOR),
            Call("iam", "CreateLoginProfile", _BACKDOOR),
        ),
    ),
    "PrivilegeEscalation": (
        "T1098.003",
        (Call("iam", "AttachUserPolicy", _ADMIN), Call("iam", "PutUserPolicy", _BACKDOOR | {"policyName": "all"})),
    ),
}
"""Tactic: its ATT&CK technique, and calls that serve it."""

OBJECTS: dict[str, tuple[str, str, int]] = {
    "Discovery:S3/AnomalousBehavior": ("T1619", "GetObjectAcl", 12),
    "Exfiltration:S3/AnomalousBehavior": ("T1530", "GetObject", 400),
    "Impact:S3/AnomalousBehavior.Delete": ("T1485", "DeleteObject", 150),
    "Impact:S3/AnomalousBehavior.Permission": ("T1222", "PutObjectAcl", 8),
    "Impact:S3/AnomalousBehavior.Write": ("T1486", "PutObject", 150),
}
"""Finding type: its ATT&CK technique, an operation, and how often it is called."""

_KINDS = (*CALLS, *OBJECTS, "instance", "function", "task")


def _data_centre(scene: Scene, kind: str) -> int:
    """An address in the data centre of this kind of attack."""
    return address_in(scene.rng, HOSTING[_KINDS.index(kind)])


def unusual_calls(tactic: str, scene: Scene) -> Episode:
    """Management calls with a stolen key that serve a tactic."""
    calls = CALLS[tactic][1]
    made = scene.by_key(scene.moment(600), *calls, source=_data_centre(scene, tactic))
    return Episode((scene.of_victim(made),), made)


def unusual_objects(finding_type: str, scene: Scene) -> Episode:
    """Data events of a bucket with the stolen key of somebody who uses others."""
    _, operation, count = OBJECTS[finding_type]
    user, bucket = _user_of_data(scene), pick(scene.rng, scene.account.buckets_for("assets"))
    identity = identities.person(scene.account, user, scene.account.period.start)
    by = caller(identity, _data_centre(scene, finding_type), STOLEN_KEY_AGENT.format(command=f"s3api.{operation}"))
    times = scene.moment(1200) + np.sort(scene.rng.uniform(0, 1100, count))
    call = object_call(scene.account, operation, bucket)
    made = tuple(TimedCall(float(time), by, call, f"exports/{i}.csv") for i, time in enumerate(times))
    return Episode((_label(scene, made, user.arn(scene.account.id), bucket),), made)


def _user_of_data(scene: Scene) -> Person:
    """An IAM user who works with data, and so has habits with it."""
    return pick(
        scene.rng, [who for who in scene.account.people if not who.role and who.duty in ("analyst", "developer")]
    )


def _label(scene: Scene, made: tuple[TimedCall, ...], arn: str, bucket: Bucket | None = None, **more: Any) -> Label:
    entity = (arn,) if bucket is None else (arn, bucket.name)
    remote = tuple(dict.fromkeys(one.by.source for one in made))
    return scene.label(
        made[0].time, made[-1].time, actor=arn, entity=entity, remote=remote, collateral=BEHAVIOUR_OF_CALLERS, **more
    )


def distant_sign_ins(scene: Scene) -> Episode:
    """Somebody signs in at home, and somebody else with the same password on the other side of the world."""
    account, time = scene.account, scene.moment(3600)
    identity = identities.person(account, scene.victim, account.period.start)
    signing_in = {name: value for name, value in identity.items() if name != "accessKeyId"}
    at_home, elsewhere = address_in(scene.rng, *ACCESS["GB"]), address_in(scene.rng, *ACCESS["IN"])
    made = (
        TimedCall(time, caller(signing_in, at_home, scene.victim.browser), console_login(account)),
        TimedCall(
            time + 2400, caller(signing_in, elsewhere, pick(scene.rng, BROWSERS)), console_login(account, mfa=False)
        ),
    )
    return Episode((_label(scene, made, scene.victim.arn(account.id)),), made)


_TAKEN = (
    Call("sts", "GetCallerIdentity"),
    Call("s3", "ListBuckets", {"Host": "s3.amazonaws.com"}),
    Call("ec2", "DescribeInstances", {"instancesSet": {}, "filterSet": {}}),
)
"""What thieves of credentials ask for first."""

_SIGN_IN_TOKEN = Call("signin", "GetSigninToken", None, {"GetSigninToken": "Success"})

_OTHERS_ENDPOINT = {"vpcEndpointId": "vpce-0f1e2d3c4b5a69788", "vpcEndpointAccountId": "909090909090"}


def _of_workload(scene: Scene, by: Caller, *calls: Call, acceptable: tuple[str, ...] = ()) -> Episode:
    made = in_a_row(scene.moment(300), by, *calls)
    return Episode((_label(scene, made, str(by.identity["arn"]), acceptable=acceptable),), made)


def _instance(scene: Scene) -> Identity:
    of, host = scene.account.workload("worker-instance-role"), scene.host(scene.position("worker"))
    return identities.workload(scene.account, of, scene.piece.start, host.instance)


def _function(scene: Scene) -> Identity:
    functions = [one for one in scene.account.workloads if one.service == "lambda" and one.role != "nightly-backup"]
    return identities.workload(scene.account, pick(scene.rng, functions), scene.piece.start)


def _task(scene: Scene) -> Identity:
    return identities.task(scene.account, "billing-task-role", token(scene.rng, 32), scene.piece.start)


_IDENTITIES = {"instance": _instance, "function": _function, "task": _task}


def outside(kind: str, scene: Scene) -> Episode:
    """Credentials of a workload are used in a data centre that is not AWS's."""
    agent = STOLEN_KEY_AGENT.format(command="sts.get-caller-identity")
    return _of_workload(scene, caller(_IDENTITIES[kind](scene), _data_centre(scene, kind), agent), *_TAKEN)


def through_tor(scene: Scene) -> Episode:
    """Credentials of an instance become a sign-in to the console, through Tor."""
    edge = Workload("edge-instance-role", f"AROA{token(scene.rng, 17, KEY_LETTERS)}", "ec2", "", 0, "")
    identity = identities.workload(scene.account, edge, scene.piece.start, scene.host(scene.position("edge")).instance)
    exit_address = scene.indicators.addresses["tor-exit"][0]
    by = caller(identity, exit_address, STOLEN_KEY_AGENT.format(command=""))
    return _of_workload(scene, by, _SIGN_IN_TOKEN, acceptable=("UnauthorizedAccess:IAMUser/TorIPCaller",))


def inside(kind: str, scene: Scene) -> Episode:
    """Credentials of a workload are used in a network of another account, by its VPC endpoint."""
    calls = tuple(Call(one.service, one.name, one.request, extra=_OTHERS_ENDPOINT) for one in _TAKEN)
    by = caller(_IDENTITIES[kind](scene), "10.77.3.9", STOLEN_KEY_AGENT.format(command="s3api.list-buckets"))
    return _of_workload(scene, by, *calls)


_INSTANCE = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration"
_RESOURCE = "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration"

ATTACKS = (
    *(
        Attack(
            f"{tactic}:IAMUser/AnomalousBehavior",
            "a stolen key is used for what its owner never does",
            technique,
            partial(unusual_calls, tactic),
            HISTORY_DAYS,
        )
        for tactic, (technique, _) in CALLS.items()
    ),
    *(
        Attack(name, f"{operation} with a stolen key", technique, partial(unusual_objects, name), HISTORY_DAYS)
        for name, (technique, operation, _) in OBJECTS.items()
    ),
    Attack("UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", "two sign-ins far apart", "T1078.004", distant_sign_ins),
    Attack(
        f"{_INSTANCE}.OutsideAWS", "credentials of an instance leave AWS", "T1552.005", partial(outside, "instance")
    ),
    Attack(f"{_INSTANCE}.OutsideAWS", "the console through Tor", "T1552.005", through_tor),
    Attack(f"{_INSTANCE}.InsideAWS", "an instance's are used in an account", "T1552.005", partial(inside, "instance")),
    Attack(f"{_RESOURCE}.OutsideAWS", "credentials of a function leave AWS", "T1552.005", partial(outside, "function")),
    Attack(f"{_RESOURCE}.OutsideAWS", "credentials of a task leave AWS", "T1552.005", partial(outside, "task")),
    Attack(f"{_RESOURCE}.InsideAWS", "a task's are used in an account", "T1552.005", partial(inside, "task")),
)
