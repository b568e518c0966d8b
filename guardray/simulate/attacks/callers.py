"""Calls that are suspicious for who makes them, from where or with what."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from guardray.simulate.attacks.configuration import some_bucket
from guardray.simulate.attacks.scene import BEHAVIOUR_OF_CALLERS, Attack, Scene
from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.labels import Label
from guardray.simulate.randomness import pick
from guardray.simulate.trail import identities
from guardray.simulate.trail.events import Call, caller, object_call
from guardray.simulate.trail.office import console_login
from guardray.simulate.world.people import BROWSERS, CLI_AGENTS

LIST_BUCKETS = Call("s3", "ListBuckets", {"Host": "s3.amazonaws.com"})
LIST_USERS = Call("iam", "ListUsers", {"maxItems": 1000})
DESCRIBE_INSTANCES = Call("ec2", "DescribeInstances", {"instancesSet": {}, "filterSet": {}})
GET_USER = Call("iam", "GetUser", None)
CREATE_USER = Call("iam", "CreateUser", {"userName": "support-2"}, {"user": {"userName": "support-2", "path": "/"}})

KALI = (
    "aws-cli/2.23.6 md/awscrt#1.0.0.dev0 ua/2.0 os/linux#6.12.13-cloud-amd64 md/arch#x86_64 lang/python#3.13.2 "
    "md/pyimpl#CPython cfg/retry-mode#standard md/distrib#kali.2025 md/command#{command}"
)
KALI_KERNEL = "aws-cli/1.29.62 Python/3.11.6 Linux/6.5.0-kali3-amd64 botocore/1.31.62"
PARROT = "Boto3/1.34.51 md/Botocore#1.34.51 ua/2.0 os/linux#6.5.0-13parrot1-amd64 md/arch#x86_64 lang/python#3.11.2"
PENTOO = "aws-cli/1.32.101 md/Botocore#1.34.101 ua/2.0 os/linux#6.6.13-pentoo md/arch#x86_64 lang/python#3.11.8"


def root_signs_in(scene: Scene) -> Episode:
    """The root user signs in to the console and looks around."""
    account, time = scene.account, scene.moment(60)
    session = identities.root(account, time)
    signing_in = {name: value for name, value in session.items() if name not in ("sessionContext", "accessKeyId")}
    agent = pick(scene.rng, BROWSERS)
    made = [TimedCall(time, caller(signing_in, scene.stranger, agent), console_login(account, mfa=False))]
    by = caller(session, scene.stranger, agent, console=True)
    made += [
        TimedCall(time + 12 + 9 * i, by, call) for i, call in enumerate((LIST_USERS, DESCRIBE_INSTANCES, LIST_BUCKETS))
    ]
    return Episode((_of_root(scene, made),), tuple(made))


def root_reads_object(scene: Scene) -> Episode:
    """The root user's access key reads one object."""
    time = scene.moment()
    by = caller(identities.root(scene.account, time), scene.stranger, CLI_AGENTS[0].format(command="s3.cp"))
    made = [TimedCall(time, by, object_call(scene.account, "GetObject", some_bucket(scene)), "plans/2026.pdf")]
    return Episode((_of_root(scene, made),), tuple(made))


def assumed_root(scene: Scene) -> Episode:
    """A session of sts AssumeRoot changes a queue."""
    time = scene.moment()
    by = caller(
        identities.root(scene.account, time - 20, assumed=True), scene.stranger, CLI_AGENTS[1].format(command="sqs")
    )
    request = {
        "queueUrl": f"https://sqs.{scene.account.region}.amazonaws.com/{scene.account.id}/jobs",
        "attributes": {},
    }
    made = [TimedCall(time, by, Call("sqs", "SetQueueAttributes", request))]
    return Episode((_of_root(scene, made),), tuple(made))


def _of_root(scene: Scene, made: list[TimedCall]) -> Label:
    arn = f"arn:aws:iam::{scene.account.id}:root"
    return scene.label(
        made[0].time,
        made[-1].time,
        actor=arn,
        entity=(arn,),
        remote=(made[0].by.source,),
        collateral=BEHAVIOUR_OF_CALLERS,
    )


def distribution_calls(agent: str, scene: Scene) -> Episode:
    """Management calls with a telling user agent."""
    made = scene.by_key(scene.moment(60), GET_USER, LIST_BUCKETS, agent=agent)
    return Episode((scene.of_victim(made),), made)


def distribution_reads(agent: str, scene: Scene) -> Episode:
    """Data events with a telling user agent."""
    bucket = some_bucket(scene)
    call = object_call(scene.account, "ListObjects", bucket)
    made = scene.by_key(scene.moment(60), call, call, agent=agent, key="exports/")
    return Episode((scene.of_victim(made, bucket.name),), made)


def listed_caller(calls: tuple[Call, ...], category: str, scene: Scene) -> Episode:
    """Management calls from an address on a list."""
    made = scene.by_key(scene.moment(120), *calls, source=_listed(scene, category))
    return Episode((scene.of_victim(made),), made)


def listed_sign_in(category: str, scene: Scene) -> Episode:
    """A console sign-in from an address on a list."""
    identity = identities.person(scene.account, scene.victim, scene.account.period.start)
    signing_in = {name: value for name, value in identity.items() if name != "accessKeyId"}
    by = caller(signing_in, _listed(scene, category), pick(scene.rng, BROWSERS))
    made = (TimedCall(scene.moment(), by, console_login(scene.account, mfa=False)),)
    return Episode((scene.of_victim(made),), made)


def listed_reader(name: str, category: str, scene: Scene) -> Episode:
    """S3 data events from an address on a list."""
    bucket = some_bucket(scene)
    call = object_call(scene.account, name, bucket)
    times = scene.moment(600) + np.sort(scene.rng.uniform(0, 500, 25))
    address = _listed(scene, category)
    made = tuple(
        one
        for i, time in enumerate(times)
        for one in scene.by_key(float(time), call, source=address, key=f"exports/{i}.csv")
    )
    return Episode((scene.of_victim(made, bucket.name),), made)


def _listed(scene: Scene, category: str) -> int:
    return pick(scene.rng, scene.indicators.addresses[category])


def _pentest(resource: str, name: str, agent: str, title: str, build: Callable[[str, Scene], Episode]) -> Attack:
    return Attack(f"PenTest:{resource}/{name}", title, "T1078.004", partial(build, agent))


_ROOT = "Policy:IAMUser/RootCredentialUsage"
_RECON = (LIST_BUCKETS, DESCRIBE_INSTANCES, LIST_USERS)
_ACCESS = (GET_USER, CREATE_USER)
_FAMILIES = (
    ("MaliciousIPCaller", "malicious"),
    ("MaliciousIPCaller.Custom", "custom"),
    ("TorIPCaller", "tor-exit"),
)

ATTACKS = (
    Attack(_ROOT, "root signs in", "T1078.004", root_signs_in),
    Attack(_ROOT, "root reads an object", "T1078.004", root_reads_object),
    Attack("Policy:IAMUser/ShortTermRootCredentialUsage", "a root session is used", "T1078.004", assumed_root),
    _pentest("IAMUser", "KaliLinux", KALI, "calls from Kali", distribution_calls),
    _pentest("IAMUser", "KaliLinux", KALI_KERNEL, "calls from a Kali kernel", distribution_calls),
    _pentest("IAMUser", "ParrotLinux", PARROT, "calls from Parrot", distribution_calls),
    _pentest("IAMUser", "PentooLinux", PENTOO, "calls from Pentoo", distribution_calls),
    _pentest("S3", "KaliLinux", KALI, "objects listed from Kali", distribution_reads),
    _pentest("S3", "ParrotLinux", PARROT, "objects listed from Parrot", distribution_reads),
    _pentest("S3", "PentooLinux", PENTOO, "objects listed from Pentoo", distribution_reads),
    *(
        Attack(f"{purpose}:IAMUser/{family}", title, technique, partial(build, category))
        for family, category in _FAMILIES
        for purpose, title, technique, build in (
            ("Recon", "resources are listed from a listed address", "T1580", partial(listed_caller, _RECON)),
            (
                "UnauthorizedAccess",
                "a user is made from a listed address",
                "T1078.004",
                partial(listed_caller, _ACCESS),
            ),
            ("UnauthorizedAccess", "a sign-in from a listed address", "T1078.004", listed_sign_in),
        )
    ),
    *(
        Attack(f"{purpose}:S3/{family}", title, technique, partial(listed_reader, operation, category))
        for family, category, purpose, title, technique, operation in (
            ("MaliciousIPCaller", "malicious", "Discovery", "objects are listed", "T1619", "ListObjects"),
            ("MaliciousIPCaller", "malicious", "Exfiltration", "objects are read", "T1530", "GetObject"),
            ("MaliciousIPCaller", "malicious", "Impact", "objects are deleted", "T1485", "DeleteObject"),
            ("MaliciousIPCaller.Custom", "custom", "Discovery", "objects are listed", "T1619", "ListObjects"),
            ("MaliciousIPCaller.Custom", "custom", "UnauthorizedAccess", "objects are read", "T1530", "GetObject"),
            ("TorIPCaller", "tor-exit", "Discovery", "objects are listed", "T1619", "ListObjects"),
            ("TorIPCaller", "tor-exit", "UnauthorizedAccess", "objects are read", "T1530", "GetObject"),
        )
    ),
)
