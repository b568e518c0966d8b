"""People and programs who do something new for them, as they may: a colleague, a holiday, a deployment, a container.

And a gateway on premises, through which the traffic of some instances leaves AWS: new for three days, then known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from guardray.simulate.benign.occasion import HardNegative, Occasion
from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.networks import ACCESS, address_in
from guardray.simulate.period import DAY, Period
from guardray.simulate.randomness import KEY_LETTERS, pick, token
from guardray.simulate.rendering import address
from guardray.simulate.stage import in_a_row
from guardray.simulate.trail import identities
from guardray.simulate.trail.catalogue import BY_DUTY, OF_INSTANCES, fill
from guardray.simulate.trail.events import Call, Caller, caller
from guardray.simulate.world import Person

LEARNED_DAYS = 8.0
"""After as many days detectors of behaviour speak."""

UNUSUAL = (
    *(f"{tactic}:IAMUser/AnomalousBehavior" for tactic in ("Discovery", "Impact", "Persistence", "CredentialAccess")),
    "Discovery:S3/AnomalousBehavior",
)
OUTSIDE = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
TASKS = "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS"

GATEWAY_NEW_DAYS = 3.0
CALLS_A_DAY = 25


def _late_days(at: Occasion, first: float, count: int) -> Iterator[Period]:
    """Whole days of the period from its day `first` on."""
    for day in list(at.piece.pieces(DAY))[int(first) : int(first) + count]:
        if day.seconds == DAY:
            yield day


def _working_day(at: Occasion, day: Period, by: Caller, choices: tuple[Call, ...], who: Person) -> list[TimedCall]:
    times = day.start + 9 * 3600 + np.sort(at.rng.uniform(0, 8 * 3600, CALLS_A_DAY))
    return [
        TimedCall(float(time), by, fill(pick(at.rng, choices), at.account, at.rng, user=who.name)) for time in times
    ]


def _labelled(at: Occasion, made: list[TimedCall]) -> Episode:
    if not made:
        return Episode(())
    actors = dict.fromkeys(str(one.by.identity["arn"]) for one in made)
    return Episode(tuple(at.label(made[0].time, made[-1].time, actor=arn) for arn in actors), tuple(made))


def new_employee(at: Occasion) -> Episode:
    """A developer starts: a new user at the office does what developers do there."""
    model = next(who for who in at.account.people if who.duty == "developer" and not who.role)
    newcomer = replace(
        model,
        name="new.colleague",
        principal_id=f"AIDA{token(at.rng, 17, KEY_LETTERS)}",
        access_key=f"AKIA{token(at.rng, 16, KEY_LETTERS)}",
    )
    by = caller(identities.person(at.account, newcomer, at.piece.start), newcomer.office_ip, newcomer.sdk)
    days = _late_days(at, LEARNED_DAYS, 30)
    return _labelled(at, [one for day in days for one in _working_day(at, day, by, BY_DUTY["developer"], newcomer)])


def working_holiday(at: Occasion) -> Episode:
    """Somebody works for a week from another country, with their own laptop and at their own tasks."""
    who = next(who for who in at.account.people if not who.role)
    place = address_in(at.rng, *ACCESS["IN"])
    by = caller(identities.person(at.account, who, at.piece.start), place, who.sdk)
    usual = tuple(call for call in BY_DUTY[who.duty] if call.is_read_only)
    days = _late_days(at, LEARNED_DAYS + 1, 5)
    return _labelled(at, [one for day in days for one in _working_day(at, day, by, usual, who)])


def new_stack(at: Occasion) -> Episode:
    """The deployment pipeline rolls out a service that the account never had."""
    calls = (
        Call("sqs", "CreateQueue", {"queueName": "refunds"}),
        Call("dynamodb", "CreateTable", {"tableName": "refunds"}),
        Call("dynamodb", "UpdateTimeToLive", {"tableName": "refunds"}),
        Call("sns", "CreateTopic", {"name": "refunds"}),
        Call("iam", "AttachRolePolicy", {"roleName": "refunds", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
        Call("states", "CreateStateMachine", {"name": "refunds"}),
        Call("secretsmanager", "GetSecretValue", {"secretId": "refunds/config"}),
    )
    days = list(_late_days(at, LEARNED_DAYS + 2, 1))
    return _labelled(at, [one for day in days for one in in_a_row(day.moment(at.rng, 60), at.pipeline, *calls)])


def task_behind_own_gateway(at: Occasion) -> Episode:
    """Container tasks call AWS through the account's own NAT gateway, a new task every day."""
    gateway = at.account.interfaces[at.account.first("nat")].public_ip or 0
    task = identities.task(at.account, "orders-task-role", token(at.rng, 32), at.piece.start)
    made = in_a_row(at.moment(300), caller(task, gateway, _TASK_AGENT), *(Call("sqs", "GetQueueUrl"),) * 4)
    return _labelled(at, list(made))


def gateway_on_premises(at: Occasion) -> Episode:
    """A web server's calls leave by a gateway on premises, from the first day on."""
    of, host = at.account.workload("web-instance-role"), at.host(at.account.first("web"))
    gateway = address_in(at.account.stream("gateway on premises"), *ACCESS["DE"])
    by = caller(identities.workload(at.account, of, at.piece.start, host.instance), gateway, of.agent)
    calls = [fill(call, at.account, at.rng, instance=host.instance) for call in OF_INSTANCES]
    made = in_a_row(at.moment(300), by, *calls)
    arn = str(by.identity["arn"])
    label = at.label(made[0].time, made[-1].time, actor=arn, entity=(arn, address(gateway)))
    is_new = at.piece.start - at.account.period.start < GATEWAY_NEW_DAYS * DAY
    return Episode((replace(label, acceptable=(OUTSIDE,)) if is_new else label,), made)


_TASK_AGENT = (
    "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24.3 md/GOOS#linux md/GOARCH#amd64 exec-env/AWS_ECS_FARGATE"
)

HARD_NEGATIVES = (
    HardNegative("new employee", UNUSUAL, new_employee),
    HardNegative("working holiday", UNUSUAL, working_holiday),
    HardNegative("new stack", UNUSUAL, new_stack),
    HardNegative("task behind the own gateway", (TASKS,), task_behind_own_gateway, daily=True),
    HardNegative("gateway on premises", (OUTSIDE,), gateway_on_premises, daily=True),
)
