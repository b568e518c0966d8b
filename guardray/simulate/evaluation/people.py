"""What people do that is new, as they may: nobody's work is the same for four weeks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.evaluation.catalogue import CHORES, CLEANUP, INCIDENT_RESPONSE, PAGES, POSTURE
from guardray.simulate.evaluation.happening import Happening
from guardray.simulate.networks import ACCESS, AWS, address_in
from guardray.simulate.randomness import KEY_LETTERS, pick, token
from guardray.simulate.rhythm import is_weekend
from guardray.simulate.trail.catalogue import BY_DUTY, fill
from guardray.simulate.trail.events import Call, denied
from guardray.simulate.trail.office import console_login
from guardray.simulate.world import Person
from guardray.simulate.world.people import BROWSERS, CLI_AGENTS, SDK_AGENTS

Change = Callable[[Happening], Episode]

PULUMI = "APN/1.0 Pulumi/1.0 PulumiAWS/6.83.0 aws-sdk-go-v2/1.36.4 ua/2.1 os/macos lang/go#1.24.4 md/GOARCH#arm64"
PROWLER = "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux md/arch#x86_64 lang/python#3.12.9 APN_1826889 prowler/5.13"


def _work(at: Happening, who: Person, calls: tuple[Call, ...], count: int) -> list[Call]:
    return [fill(call, at.account, at.rng, user=who.name) for call in at.some(calls, count)]


def _is_day_off(at: Happening, day: int) -> bool:
    return is_weekend(at.at(day, 12.0), 0)


def long_tail(at: Happening) -> Episode:
    """Everybody looks at a page or two that they rarely see, on a third of their days, and does a rare chore a week."""
    made: list[TimedCall] = []
    for who in at.account.people:
        for day in range(at.days):
            if _is_day_off(at, day):
                continue
            place = who.home_ip if at.rng.random() < 0.3 else who.office_ip
            if at.rng.random() < 0.35:
                hour = at.rng.uniform(8.5, 18.5)
                by = at.by(who, place, who.browser, at.at(day, hour), console=True)
                page = pick(at.rng, PAGES)
                made += at.spread(at.at(day, hour), 900, by, at.some(page, int(at.rng.integers(1, 6))))
            if at.rng.random() < 0.12:
                hour = at.rng.uniform(9.0, 18.0)
                is_console = at.rng.random() < 0.5
                agent = who.browser if is_console else who.cli.format(command="rare.chore")
                by = at.by(who, place, agent, at.at(day, hour), console=is_console)
                chore = pick(at.rng, CHORES[who.duty])
                made += at.spread(at.at(day, hour), 1200, by, at.some(chore, int(at.rng.integers(1, 5))))
    return at.harmless("long tail", made)


def new_colleague(at: Happening) -> Episode:
    """Somebody starts: a new user, at the office or at home, with a machine of their own."""
    model = at.person(users=True)
    newcomer = _stranger(at, model, home=ACCESS[at.country])
    first = at.day(8, 22)
    return at.harmless("new colleague", _days_of_work(at, newcomer, model.duty, range(first, at.days), 14))


def contractor(at: Happening) -> Episode:
    """Somebody from another country helps for two weeks: a new user with new programs, at a developer's tasks."""
    model = at.person("developer", users=True)
    country = pick(at.rng, sorted(set(ACCESS) - {at.country}))
    helper = _stranger(at, model, home=ACCESS[country])
    helper = replace(helper, office_ip=helper.home_ip)
    first = at.day(8, 20)
    return at.harmless("contractor", _days_of_work(at, helper, "developer", range(first, min(first + 14, at.days)), 12))


def _stranger(at: Happening, model: Person, home: tuple[tuple[str, int], ...]) -> Person:
    return replace(
        model,
        name=f"newcomer.{token(at.rng, 4)}",
        role="",
        principal_id=f"AIDA{token(at.rng, 17, KEY_LETTERS)}",
        access_key=f"AKIA{token(at.rng, 16, KEY_LETTERS)}",
        home_ip=address_in(at.rng, *home),
        cli=pick(at.rng, CLI_AGENTS),
        sdk=pick(at.rng, SDK_AGENTS),
        browser=pick(at.rng, BROWSERS),
    )


def _days_of_work(at: Happening, who: Person, duty: str, days: range, calls_a_day: int) -> list[TimedCall]:
    made: list[TimedCall] = []
    for day in days:
        if _is_day_off(at, day):
            continue
        place = who.home_ip if at.rng.random() < 0.4 else who.office_ip
        agent = pick(at.rng, (who.cli.format(command="a.b"), who.sdk, who.browser))
        by = at.by(who, place, agent, at.at(day, 9), console=agent == who.browser)
        made += at.spread(at.at(day, 9), 8 * 3600, by, _work(at, who, BY_DUTY[duty], calls_a_day))
    return made


def travel(at: Happening) -> Episode:
    """A business trip: some days in another country, at the usual work, with a page looked up here and there."""
    who, first = at.person(), at.day(8)
    country = pick(at.rng, sorted(set(ACCESS) - {at.country}))
    place, length = address_in(at.rng, *ACCESS[country]), int(at.rng.integers(1, 6))
    made: list[TimedCall] = []
    for day in range(first, min(first + length, at.days)):
        by = at.by(who, place, who.browser if who.uses_console else who.sdk, at.at(day, 8), console=who.uses_console)
        calls = [*_work(at, who, BY_DUTY[who.duty], 10), *at.some(pick(at.rng, PAGES), 2)]
        made += at.spread(at.at(day, 8), 9 * 3600, by, calls)
    return at.harmless("travel", made)


def holiday_glance(at: Happening) -> Episode:
    """Somebody on holiday looks in from a hotel, once, with the tablet of the family."""
    who, day = at.person(), at.day(8)
    place = address_in(at.rng, *ACCESS[pick(at.rng, sorted(set(ACCESS) - {at.country}))])
    by = at.by(who, place, pick(at.rng, BROWSERS), at.at(day, 20), console=True)
    return at.harmless("glance from a holiday", at.spread(at.at(day, 20), 900, by, at.some(pick(at.rng, PAGES), 4)))


def new_provider(at: Happening) -> Episode:
    """Somebody's home has another provider, or they sit on a train: a new network in the same country."""
    who, first = at.person(), at.day(4)
    place, length = address_in(at.rng, *ACCESS[at.country]), int(at.rng.integers(1, 12))
    made: list[TimedCall] = []
    for day in range(first, min(first + length, at.days)):
        by = at.by(who, place, who.cli.format(command="x.y"), at.at(day, 9))
        made += at.spread(at.at(day, 9), 8 * 3600, by, _work(at, who, BY_DUTY[who.duty], 9))
    return at.harmless("new provider", made)


def vpn(at: Happening) -> Episode:
    """The company's new VPN lets some people out at a cloud or a seller of VPNs, from a day on."""
    first = at.day(8, 20)
    exit_ip = at.place("VPN" if at.rng.random() < 0.5 else "cloud")
    people = [who for who in at.account.people if at.rng.random() < 0.5]
    made: list[TimedCall] = []
    for who in people:
        for day in range(first, at.days):
            if _is_day_off(at, day) or at.rng.random() < 0.4:
                continue
            by = at.by(who, exit_ip, who.browser if who.uses_console else who.sdk, at.at(day, 9))
            made += at.spread(at.at(day, 9), 8 * 3600, by, _work(at, who, BY_DUTY[who.duty], 7))
    return at.harmless("VPN", made)


def new_office(at: Happening) -> Episode:
    """An office moves: everybody there has a new network from a day on."""
    first, place = at.day(8, 22), address_in(at.rng, *ACCESS[at.country])
    old = at.account.office_ips[0]
    made: list[TimedCall] = []
    for who in (one for one in at.account.people if one.office_ip == old):
        for day in range(first, at.days):
            if not _is_day_off(at, day):
                by = at.by(who, place, who.browser if who.uses_console else who.sdk, at.at(day, 9))
                made += at.spread(at.at(day, 9), 8 * 3600, by, _work(at, who, BY_DUTY[who.duty], 8))
    return at.harmless("new office", made)


def night_incident(at: Happening) -> Episode:
    """An outage at night: an operator does from home what they have hardly ever done, and much of it."""
    who, day = at.person("operator", "administrator", "developer"), at.day(8)
    hour, count = at.rng.uniform(0.0, 5.0), int(at.rng.integers(25, 60))
    by = at.by(who, who.home_ip, pick(at.rng, (who.browser, who.cli.format(command="ec2.help"))), at.at(day, hour))
    return at.harmless(
        "incident at night", at.spread(at.at(day, hour), 2 * 3600, by, at.some(INCIDENT_RESPONSE, count))
    )


def night_work(at: Happening) -> Episode:
    """A release at night or on a weekend, the usual work at an unusual time."""
    who, day = at.person(), at.day(4)
    by = at.by(who, who.home_ip, who.cli.format(command="deploy"), at.at(day, 23))
    return at.harmless("night work", at.spread(at.at(day, 22.5), 3 * 3600, by, _work(at, who, BY_DUTY[who.duty], 25)))


def new_service(at: Happening) -> Episode:
    """A project begins with a service that the account never had: pages first, then things are created."""
    who, first = at.person("developer", "analyst", "operator"), at.day(8)
    pages = [pick(at.rng, PAGES) for _ in range(3)]
    made: list[TimedCall] = []
    for day in range(first, min(first + 4, at.days)):
        by = at.by(who, who.office_ip, who.browser, at.at(day, 10), console=True)
        calls = [call for page in pages for call in at.some(page, 3)]
        made += at.spread(at.at(day, 10), 5 * 3600, by, calls)
        made += at.spread(at.at(day, 11), 4 * 3600, by, at.some(_CREATIONS, 4))
    return at.harmless("new service", made)


_CREATIONS = tuple(
    Call(service, name)
    for service, name in (
        ("bedrock", "PutFoundationModelEntitlement"), ("bedrock", "CreateAgent"), ("eks", "CreateCluster"),
        ("sagemaker", "CreateDomain"), ("apigateway", "CreateRestApi"), ("kinesis", "CreateStream"),
        ("opensearch", "CreateDomain"), ("iam", "CreateServiceLinkedRole"), ("iam", "CreateRole"),
        ("iam", "AttachRolePolicy"), ("amplify", "CreateApp"), ("apprunner", "CreateService"),
        ("transfer", "CreateServer"), ("ec2", "CreateSecurityGroup"), ("ec2", "RunInstances"), ("kms", "CreateKey"),
    )
)  # fmt: skip


def new_duties(at: Happening) -> Episode:
    """Somebody takes over another's duties, on most days from then on."""
    who, first = at.person(), at.day(8, 22)
    duty = pick(at.rng, sorted(set(BY_DUTY) - {who.duty}))
    made: list[TimedCall] = []
    for day in range(first, at.days):
        if not _is_day_off(at, day):
            by = at.by(who, who.office_ip, who.browser if who.uses_console else who.sdk, at.at(day, 10))
            made += at.spread(at.at(day, 10), 6 * 3600, by, _work(at, who, BY_DUTY[duty], 9))
            if at.rng.random() < 0.4:
                made += at.spread(at.at(day, 14), 1800, by, at.some(pick(at.rng, CHORES[duty]), 3))
    return at.harmless("new duties", made)


def new_tool(at: Happening) -> Episode:
    """Somebody takes up another program: Pulumi, another SDK, another browser."""
    who, first = at.person(), at.day(8)
    agent = pick(at.rng, (PULUMI, *SDK_AGENTS, *BROWSERS))
    made: list[TimedCall] = []
    for day in range(first, at.days):
        if not _is_day_off(at, day):
            by = at.by(who, who.office_ip, agent, at.at(day, 10))
            calls = [*_work(at, who, BY_DUTY[who.duty], 8), *at.some(pick(at.rng, CHORES[who.duty]), 1)]
            made += at.spread(at.at(day, 10), 6 * 3600, by, calls)
    return at.harmless("new tool", made)


def own_audit(at: Happening) -> Episode:
    """An administrator runs a free scanner from the office: everything that can be read is read in minutes."""
    who, day = at.person("administrator", "operator"), at.day(8)
    by = at.by(who, who.office_ip, PROWLER, at.at(day, 15))
    return at.harmless("own audit", at.spread(at.at(day, 15), 1500, by, [*POSTURE, *at.some(POSTURE, 60)]))


def key_rotation(at: Happening) -> Episode:
    """Keys are older than ninety days, so their owners make new ones."""
    day, made = at.day(8), list[TimedCall]()
    for who in [one for one in at.account.people if not one.role][: int(at.rng.integers(1, 4))]:
        agent = pick(at.rng, (who.browser, who.cli.format(command="iam.create-access-key")))
        by = at.by(who, who.office_ip, agent, at.at(day, 11), console=agent == who.browser)
        calls = [
            Call("iam", name, {"userName": who.name})
            for name in ("ListAccessKeys", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey")
        ]
        made += at.spread(at.at(day, at.rng.uniform(9, 16)), 1200, by, calls)
    return at.harmless("key rotation", made)


def people_come_and_go(at: Happening) -> Episode:
    """An administrator makes users for newcomers and removes those of people who left."""
    who, day = at.person("administrator"), at.day(8)
    by = at.by(who, who.office_ip, who.browser, at.at(day, 10), console=True)
    chore = [call for chores in CHORES["administrator"][:2] for call in chores]
    more = [
        Call("iam", name) for name in ("AttachUserPolicy", "DeleteAccessKey", "CreateAccessKey", "DeleteUserPolicy")
    ]
    return at.harmless("people come and go", at.spread(at.at(day, 10), 2400, by, [*chore, *at.some(more, 3)]))


def cleanup(at: Happening) -> Episode:
    """Somebody throws away what nobody needs: dozens of snapshots, volumes, log groups, roles."""
    who, day, count = at.person("operator", "administrator"), at.day(8), int(at.rng.integers(15, 80))
    by = at.by(who, at.rng.choice([who.office_ip, who.home_ip]), who.cli.format(command="ec2.rm"), at.at(day, 13))
    return at.harmless("bulk cleanup", at.spread(at.at(day, 13), 3600, by, at.some(CLEANUP, count)))


def maintenance(at: Happening) -> Episode:
    """A database is copied and restored for a test; an image is shared with the account for tests."""
    who, day = at.person("operator", "developer"), at.day(8)
    by = at.by(who, who.office_ip, who.cli.format(command="rds.restore"), at.at(day, 14))
    copies = _copies("rds CreateDBSnapshot CopyDBSnapshot RestoreDBInstanceFromDBSnapshot")
    copies += _copies("ec2 CreateImage ModifyImageAttribute CopySnapshot")
    calls = [pick(at.rng, copies) for _ in range(int(at.rng.integers(1, 6)))]
    return at.harmless("maintenance of databases", at.spread(at.at(day, 14), 3600, by, calls))


def _copies(line: str) -> list[Call]:
    service, *names = line.split()
    return [Call(service, name) for name in names]


def missing_permission(at: Happening) -> Episode:
    """Somebody tries what they lack the permission for, again and again, until they ask."""
    who, day = at.person("developer", "analyst"), at.day(4)
    by = at.by(who, who.office_ip, who.cli.format(command="try"), at.at(day, 11))
    wanted = at.some(pick(at.rng, CHORES[pick(at.rng, ("operator", "administrator"))]), 6)
    return at.harmless(
        "missing permission", at.spread(at.at(day, 11), 3600, by, [denied(at.account, by, c) for c in wanted])
    )


def unusual_sign_ins(at: Happening) -> Episode:
    """Sign-ins at home and through the phone's network, an hour apart, in one country."""
    who, day = at.person(users=True), at.day(4)
    identity = {name: value for name, value in at.session(who, at.at(day, 8)).items() if name != "accessKeyId"}
    made = []
    for hour, place in ((8.0, who.home_ip), (9.0, at.place("same country")), (9.6, who.office_ip)):
        by = replace(at.by(who, place, who.browser, at.at(day, hour)), identity=identity)
        made.append(TimedCall(at.at(day, hour), by, console_login(at.account)))
    return at.harmless("sign-ins on the way", made)


def cloud_desktop(at: Happening) -> Episode:
    """Somebody works on a machine in the cloud for some days: AWS's own network, a Linux program."""
    who, first = at.person("developer", "analyst"), at.day(8)
    place, length = address_in(at.rng, AWS[at.account.region]), int(at.rng.integers(2, 8))
    made: list[TimedCall] = []
    for day in range(first, min(first + length, at.days)):
        by = at.by(who, place, SDK_AGENTS[0], at.at(day, 9))
        made += at.spread(at.at(day, 9), 8 * 3600, by, _work(at, who, BY_DUTY[who.duty], 12))
    return at.harmless("cloud desktop", made)


CHANGES: Mapping[Change, tuple[int, int]] = {
    long_tail: (1, 1),
    new_colleague: (1, 2),
    contractor: (0, 1),
    travel: (1, 4),
    holiday_glance: (1, 2),
    new_provider: (2, 5),
    vpn: (0, 1),
    new_office: (0, 1),
    night_incident: (1, 3),
    night_work: (2, 4),
    new_service: (1, 3),
    new_duties: (1, 2),
    new_tool: (1, 3),
    own_audit: (0, 1),
    key_rotation: (1, 2),
    people_come_and_go: (1, 3),
    cleanup: (1, 3),
    maintenance: (1, 3),
    missing_permission: (1, 4),
    unusual_sign_ins: (1, 3),
    cloud_desktop: (0, 2),
}
"""What happens, and how often in an account at least and at most."""
