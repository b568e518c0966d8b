"""What services and programs do on a day: functions, instances, AWS's own services, a daily audit."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.simulate.period import HOUR, Period
from guardray.simulate.randomness import pick
from guardray.simulate.rhythm import MACHINES, STEADY, times
from guardray.simulate.trail.catalogue import OF_AUDITS, OF_FUNCTIONS, OF_INSTANCES, fill
from guardray.simulate.trail.events import Call, bucket_call, caller
from guardray.simulate.trail.identities import root, service, session_key, workload
from guardray.simulate.trail.templates import CALLS, Templates, calls
from guardray.simulate.world import Account, Workload

AUDIT_HOUR, AUDIT_CALLS = 4.0, 140
_SSM_AGENT = "aws-sdk-go/1.55.7 (go1.23.9; linux; amd64) amazon-ssm-agent/3.3.2299.0"


def service_calls(account: Account, day: Period, templates: Templates) -> pl.DataFrame:
    """Management calls of functions, instances and AWS's own services on this day."""
    rng = account.stream("services", day.start)
    parts = [CALLS.to_frame(), _of_aws(account, day, templates, rng), _of_instances(account, day, templates, rng)]
    functions = [one for one in account.workloads if one.service == "lambda"]
    for function in functions:
        rate = account.rates.service_calls_per_hour * 0.5 / len(functions)
        parts.append(_of_function(account, function, day, rate, templates, rng))
    parts.append(_audit(account, day, templates, rng))
    return pl.concat(parts)


def _spread(numbers: list[int], at: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    return calls(at, rng.choice(numbers, len(at)))


def _of_function(
    account: Account, function: Workload, day: Period, rate: float, templates: Templates, rng: np.random.Generator
) -> pl.DataFrame:
    """A function's own calls, and the Lambda service that fetches its credentials."""
    by = caller(workload(account, function, day.start), function.address, function.agent)
    own = [templates.add(by, fill(call, account, rng, function=function.session)) for call in OF_FUNCTIONS]
    lends = templates.add(
        caller(service("lambda.amazonaws.com"), *["lambda.amazonaws.com"] * 2), _assume(account, function)
    )
    busy = times(rng, rate, day, MACHINES)
    return pl.concat([_spread(own, busy, rng), calls(times(rng, rate / 8, day), lends)])


def _assume(account: Account, of: Workload) -> Call:
    role = f"arn:aws:iam::{account.id}:role/{of.role}"
    key = session_key(account.id, of.role)
    response = {"credentials": {"accessKeyId": key, "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}}
    resources = ({"accountId": account.id, "type": "AWS::IAM::Role", "ARN": role},)
    return Call(
        "sts", "AssumeRole", {"roleArn": role, "roleSessionName": of.session or "instance"}, response, resources
    )


def _of_instances(account: Account, day: Period, templates: Templates, rng: np.random.Generator) -> pl.DataFrame:
    """Agents on instances, with the credentials of the instance's role."""
    hosts = [
        one
        for one in account.interfaces
        if one.kind in ("web", "worker") and one.launched < day.end and one.ended > day.start
    ]
    parts = [CALLS.to_frame()]
    for host in hosts:
        of = account.workload(f"{host.kind}-instance-role")
        by = caller(workload(account, of, day.start, host.instance), of.address, pick(rng, (of.agent, _SSM_AGENT)))
        numbers = [templates.add(by, fill(call, account, rng, instance=host.instance)) for call in OF_INSTANCES]
        running = Period(max(day.start, host.launched), min(day.end, host.ended))
        rate = account.rates.service_calls_per_hour * 0.3 / len(hosts)
        parts.append(_spread(numbers, times(rng, rate, running, STEADY), rng))
    return pl.concat(parts)


def _of_aws(account: Account, day: Period, templates: Templates, rng: np.random.Generator) -> pl.DataFrame:
    """Services acting for themselves, and once in a while for the root user."""
    trail = service("cloudtrail.amazonaws.com")
    scaling = workload(account, account.workload("terraform-deploy"), day.start) | {
        "invokedBy": "autoscaling.amazonaws.com"
    }
    checks = [
        templates.add(
            caller(trail, *["cloudtrail.amazonaws.com"] * 2), bucket_call(account, "GetBucketAcl", bucket, acl="")
        )
        for bucket in account.buckets_for("trail", "archive")
    ]
    describes = templates.add(
        caller(scaling, *["autoscaling.amazonaws.com"] * 2),
        fill(
            Call("ec2", "DescribeInstanceStatus", {"instancesSet": {"items": [{"instanceId": "$instance"}]}}),
            account,
            rng,
        ),
    )
    for_root = caller(
        root(account, day.start, invoked_by="cloudformation.amazonaws.com"), *["cloudformation.amazonaws.com"] * 2
    )
    stacks = templates.add(for_root, Call("ec2", "DescribeSubnets", {"subnetSet": {}, "filterSet": {}}))
    rate = account.rates.service_calls_per_hour
    return pl.concat(
        [
            _spread(checks, times(rng, rate * 0.15, day), rng),
            calls(times(rng, rate * 0.05, day), describes),
            calls(times(rng, 0.25, day), stacks),
        ]
    )


def _audit(account: Account, day: Period, templates: Templates, rng: np.random.Generator) -> pl.DataFrame:
    """A posture scanner that lists and describes everything once a day within minutes."""
    at = day.start + AUDIT_HOUR * HOUR + np.cumsum(rng.exponential(4.0, AUDIT_CALLS))
    at = at[at < day.end]
    of = account.workload("posture-audit")
    by = caller(workload(account, of, np.floor(day.start + AUDIT_HOUR * HOUR)), of.address, of.agent)
    numbers = [templates.add(by, fill(call, account, rng)) for call in OF_AUDITS]
    return _spread(numbers, at, rng)
