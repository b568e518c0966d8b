"""What programs do that is new: other pipelines, scanners, backups, batch jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.evaluation.catalogue import POSTURE, REFRESH, STACK, TEARDOWN
from guardray.simulate.evaluation.happening import Happening
from guardray.simulate.evaluation.people import Change
from guardray.simulate.networks import AWS, address_in
from guardray.simulate.randomness import KEY_LETTERS, pick, token
from guardray.simulate.trail.catalogue import OF_FUNCTIONS, fill
from guardray.simulate.trail.events import Call, object_call
from guardray.simulate.world import Bucket, Workload
from guardray.simulate.world.people import SDK_AGENTS, TERRAFORM

OTHER_TERRAFORM = TERRAFORM.replace("Terraform/1.12.2", "Terraform/1.13.5").replace("5.100.0", "6.14.1")
GO_SDK = "aws-sdk-go-v2/1.38.0 ua/2.1 os/linux lang/go#1.25.1 md/GOOS#linux md/GOARCH#amd64 m/E"


def _pipeline(at: Happening) -> Workload:
    return at.account.workload("terraform-deploy")


def _role(at: Happening, name: str, address: int, agent: str) -> Workload:
    return Workload(name, f"AROA{token(at.rng, 17, KEY_LETTERS)}", "deployment", f"{name}-session", address, agent)


def terraform_runs(at: Happening) -> Episode:
    """The pipeline refreshes its state on most days, and changes a little of what it manages."""
    made: list[TimedCall] = []
    for day in range(at.days):
        for _ in range(int(at.rng.poisson(1.2))):
            hour = at.rng.uniform(8.0, 19.0)
            by = at.by_workload(_pipeline(at), at.at(day, hour))
            calls = [*at.some(REFRESH, 40), *at.some(STACK, int(at.rng.integers(0, 4)))]
            made += at.spread(at.at(day, hour), 400, by, calls)
    return at.harmless("Terraform runs", made)


def new_stack(at: Happening) -> Episode:
    """The pipeline sets up a whole service of kinds that the account has few of."""
    day, hour = at.day(8), at.rng.uniform(9, 18)
    by = at.by_workload(_pipeline(at), at.at(day, hour))
    return at.harmless("new stack", at.spread(at.at(day, hour), 900, by, [*STACK, *at.some(REFRESH, 20)]))


def teardown(at: Happening) -> Episode:
    """The pipeline takes a service down: networks, roles, keys, log groups."""
    day, hour = at.day(8), at.rng.uniform(9, 18)
    by = at.by_workload(_pipeline(at), at.at(day, hour))
    return at.harmless("teardown", at.spread(at.at(day, hour), 600, by, [*at.some(REFRESH, 20), *TEARDOWN]))


def other_provider(at: Happening) -> Episode:
    """The pipeline moves to another provider: a new role, runners in another cloud at a new address every day."""
    first = at.day(8, 22)
    role = _role(at, "ci-deploy", 0, OTHER_TERRAFORM)
    made: list[TimedCall] = []
    for day in range(first, at.days):
        by = at.by_workload(role, at.at(day, 11), at.place("cloud"))
        calls = [*at.some(REFRESH, 30), *at.some(STACK, int(at.rng.integers(0, 5)))]
        made += at.spread(at.at(day, at.rng.uniform(9, 18)), 500, by, calls)
    return at.harmless("pipeline at another provider", made)


def moved_runners(at: Happening) -> Episode:
    """The old role of the pipeline runs elsewhere, with a newer version, and goes on with its work."""
    first, made = at.day(8, 22), list[TimedCall]()
    role = replace(_pipeline(at), agent=OTHER_TERRAFORM)
    for day in range(first, at.days):
        by = at.by_workload(role, at.at(day, 11), at.place("cloud"))
        calls = [*at.some(REFRESH, 40), *at.some(STACK, int(at.rng.integers(0, 3)))]
        made += at.spread(at.at(day, at.rng.uniform(9, 18)), 500, by, calls)
    return at.harmless("moved runners", made)


def bought_scanner(at: Happening) -> Episode:
    """A product that judges the account's security: a new role, from a data centre, reads everything daily."""
    first, place = at.day(8, 22), at.place("data centre")
    role = _role(at, "posture-vendor", place, SDK_AGENTS[0])
    made: list[TimedCall] = []
    for day in range(first, at.days):
        by = at.by_workload(role, at.at(day, 3))
        made += at.spread(at.at(day, 3), 1800, by, [*POSTURE, *at.some(POSTURE, 40)])
    return at.harmless("bought scanner", made)


def monitoring_product(at: Happening) -> Episode:
    """A product for dashboards is connected: a new role, from AWS, asks for metrics and inventories every hour."""
    first = at.day(8, 22)
    role = _role(at, "metrics-vendor", address_in(at.rng, AWS["us-east-1"]), GO_SDK)
    asks = [
        Call(service, name)
        for service, name in (
            ("monitoring", "ListMetrics"), ("ec2", "DescribeInstances"), ("rds", "DescribeDBInstances"),
            ("lambda", "ListFunctions20150331"), ("sqs", "ListQueues"), ("elasticache", "DescribeCacheClusters"),
            ("tagging", "GetResources"), ("ecs", "ListClusters"), ("autoscaling", "DescribeAutoScalingGroups"),
        )
    ]  # fmt: skip
    made: list[TimedCall] = []
    for day in range(first, at.days):
        made += at.spread(at.at(day, 0), 86_000, at.by_workload(role, at.at(day, 0)), at.some(asks, 30))
    return at.harmless("monitoring product", made)


def new_function(at: Happening) -> Episode:
    """A function is deployed, with a role of its own that reads secrets and keys, and a bucket that it works on."""
    first = at.day(8, 24)
    like = pick(at.rng, [one for one in at.account.workloads if one.service == "lambda"])
    function = replace(
        like,
        role=f"new-{token(at.rng, 4)}-role",
        role_id=f"AROA{token(at.rng, 17, KEY_LETTERS)}",
        session=f"new-{token(at.rng, 4)}",
        address=address_in(at.rng, AWS[at.account.region]),
    )
    bucket = pick(at.rng, at.account.buckets_for("data", "assets"))
    made: list[TimedCall] = []
    for day in range(first, at.days):
        by = at.by_workload(function, at.at(day, 0))
        calls = [fill(call, at.account, at.rng, function=function.session) for call in at.some(OF_FUNCTIONS, 25)]
        objects = [object_call(at.account, pick(at.rng, ("GetObject", "PutObject")), bucket) for _ in range(40)]
        made += at.spread(at.at(day, 0), 86_000, by, [*calls, *objects])
    return at.harmless("new function", made)


def batch_job(at: Happening) -> Episode:
    """A job of the month runs with a worker's role: it reads a bucket whole that workers rarely touch."""
    day, hour, count = at.day(8), at.rng.uniform(0, 24), int(at.rng.integers(300, 1800))
    host = at.host(at.position("worker"))
    by = at.by_workload(at.account.workload("worker-instance-role"), at.at(day, hour), session=host.instance)
    bucket = pick(at.rng, at.account.buckets_for("data", "assets"))
    reads = [object_call(at.account, "GetObject", bucket)] * count
    writes = [object_call(at.account, "PutObject", bucket)] * (count // 10)
    lists = [object_call(at.account, "ListObjects", bucket)] * 5
    return at.harmless(
        "batch job", _with_keys(at, at.spread(at.at(day, hour), 2 * 3600, by, [*lists, *reads, *writes]))
    )


def new_backup(at: Happening) -> Episode:
    """Another backup is tried: a new role, at AWS, reads every bucket at night from a day on."""
    first = at.day(8, 24)
    role = _role(at, "backup-vendor", address_in(at.rng, AWS[at.account.region]), GO_SDK)
    made: list[TimedCall] = []
    for day in range(first, at.days):
        by = at.by_workload(role, at.at(day, 1))
        for bucket in at.account.buckets_for("data", "assets"):
            calls = [object_call(at.account, "ListObjects", bucket)] * 3
            calls += [object_call(at.account, "GetObject", bucket)] * 60
            made += at.spread(at.at(day, 1), 3600, by, calls)
    return at.harmless("new backup", _with_keys(at, made))


def big_download(at: Happening) -> Episode:
    """An analyst fetches much more than usual for a report, from the bucket that they use or from a colleague's."""
    who, day, count = at.person("analyst", "developer"), at.day(8), int(at.rng.integers(150, 1500))
    bucket = pick(at.rng, at.account.buckets_for("data"))
    by = at.by(who, at.rng.choice([who.office_ip, who.home_ip]), who.sdk, at.at(day, 14))
    calls = [object_call(at.account, "ListObjects", bucket)] * 4 + [
        object_call(at.account, "GetObject", bucket)
    ] * count
    return at.harmless("big download", _with_keys(at, at.spread(at.at(day, 14), 3600, by, calls)))


def tidy_objects(at: Happening) -> Episode:
    """A developer removes old objects of a bucket, hundreds of them."""
    who, day, count = at.person("developer", "operator"), at.day(8), int(at.rng.integers(60, 500))
    bucket = pick(at.rng, at.account.buckets_for("data", "assets"))
    by = at.by(who, who.office_ip, who.cli.format(command="s3.rm"), at.at(day, 16))
    calls = [object_call(at.account, "ListObjects", bucket)] * 4 + [
        object_call(at.account, "DeleteObject", bucket)
    ] * count
    return at.harmless("old objects removed", _with_keys(at, at.spread(at.at(day, 16), 1800, by, calls)))


def rewritten_objects(at: Happening) -> Episode:
    """Objects of a bucket are written anew, with other metadata: copied onto themselves by an operator's script."""
    who, day, count = at.person("developer", "operator", "analyst"), at.day(8), int(at.rng.integers(60, 400))
    bucket = pick(at.rng, at.account.buckets_for("data", "assets"))
    by = at.by(who, who.office_ip, who.sdk, at.at(day, 15))
    calls = [object_call(at.account, name, bucket) for name in ("GetObject", "PutObject") for _ in range(count)]
    return at.harmless("objects rewritten", _with_keys(at, at.spread(at.at(day, 15), 3600, by, calls)))


def look_into_buckets(at: Happening) -> Episode:
    """Somebody looks for a file and lists buckets one after the other in the console."""
    who, day = at.person(), at.day(4)
    by = at.by(who, who.office_ip, who.browser, at.at(day, 11), console=True)
    found: list[Bucket] = at.account.buckets[2 : 2 + int(at.rng.integers(2, 6))]  # type: ignore[assignment]
    calls = [object_call(at.account, name, bucket) for bucket in found for name in ("ListObjects", "HeadObject")]
    return at.harmless("look into buckets", _with_keys(at, at.spread(at.at(day, 11), 1200, by, calls)))


def shared_objects(at: Happening) -> Episode:
    """An upload for a partner opens its objects to the owner of the bucket."""
    who, day = at.person("developer", "analyst"), at.day(8)
    bucket = pick(at.rng, at.account.buckets_for("assets"))
    by = at.by(who, who.office_ip, who.cli.format(command="s3api.put-object-acl"), at.at(day, 12))
    calls = [object_call(at.account, name, bucket) for name in ("PutObject", "PutObjectAcl") for _ in range(6)]
    return at.harmless("objects shared", _with_keys(at, at.spread(at.at(day, 12), 900, by, calls)))


def _with_keys(at: Happening, made: list[TimedCall]) -> list[TimedCall]:
    words = at.rng.integers(0, 1 << 40, len(made))
    return [replace(one, key=f"items/{word:010x}.json") for one, word in zip(made, np.asarray(words), strict=True)]


CHANGES: Mapping[Change, tuple[int, int]] = {
    terraform_runs: (1, 1),
    new_stack: (1, 2),
    teardown: (1, 2),
    other_provider: (0, 1),
    moved_runners: (0, 1),
    bought_scanner: (0, 1),
    monitoring_product: (0, 1),
    new_function: (1, 3),
    batch_job: (1, 3),
    new_backup: (0, 1),
    big_download: (1, 3),
    tidy_objects: (1, 2),
    rewritten_objects: (1, 2),
    look_into_buckets: (2, 5),
    shared_objects: (0, 2),
}
"""What happens, and how often in an account at least and at most."""
