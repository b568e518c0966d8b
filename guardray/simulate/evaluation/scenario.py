"""Four weeks of several accounts: much that changes as it may, and some intruders in the last two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from guardray.errors import UsageError
from guardray.simulate import attacks as attack_families
from guardray.simulate.attacks.scene import Scene
from guardray.simulate.dns import background as dns_background
from guardray.simulate.dns.files import write_queries
from guardray.simulate.episodes import Episode, Episodes
from guardray.simulate.evaluation import machines, people, traffic
from guardray.simulate.evaluation.happening import ATTACKS_FROM_DAY, Happening, principal_of
from guardray.simulate.evaluation.incidents import Intrusion, distant_sign_in
from guardray.simulate.evaluation.people import Change
from guardray.simulate.evaluation.scripts import SCRIPTS
from guardray.simulate.flow.background import to_the_internet
from guardray.simulate.flow.files import FlowFiles
from guardray.simulate.indicators import Indicators, write_indicators
from guardray.simulate.inventory import write_inventory
from guardray.simulate.labels import Label, everything_else, write_labels
from guardray.simulate.layout import Output
from guardray.simulate.period import DAY, DEFAULT_START, HOUR, Period
from guardray.simulate.rates import Rates
from guardray.simulate.run import Progress, Summary, claim, summary_of, write_trail
from guardray.simulate.world import Account, build_account

DAYS = 28

_LIGHT = Rates(
    outbound_per_host_hour=3.0, service_calls_per_hour=40.0, object_calls_per_hour=70.0, lookups_per_host_hour=1.0
)
"""As much as it takes for habits: counts do not matter to what is new."""

SIZES = (
    replace(_LIGHT, people=7, web_servers=3, workers=3, functions=3, buckets=8),
    replace(_LIGHT, people=14, web_servers=3, workers=4, functions=6, buckets=10),
    replace(_LIGHT, people=24, web_servers=4, workers=5, functions=9, buckets=14),
)
"""A young company, one with an office, one with departments; accounts are of these in turn."""

FILES_EVERY_S = 1800
"""Files are larger than AWS's, since many take longer to open than to read. Of more than half an hour, events in them
would be too late to count."""

INCIDENTS_PER_ACCOUNT = 8

_CONTENT = (
    "Backdoor:EC2/Spambot",
    "DefenseEvasion:EC2/UnusualDNSResolver",
    "DefenseEvasion:EC2/UnusualDoHActivity",
    "DefenseEvasion:EC2/UnusualDoTActivity",
    "Trojan:EC2/DGADomainRequest.B",
    "Trojan:EC2/DNSDataExfiltration",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.InsideAWS",
    "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS",
)
"""Other types of behaviour, whose attacks are those of the ordinary simulation."""

SHARE_OF_CONTENT = 0.5

Further = Callable[[Happening], Sequence[Episode]]
"""More that happens in an account, such as recorded attacks."""

CHANGES = {**people.CHANGES, **machines.CHANGES, **traffic.CHANGES}


def write_evaluation(
    out: Path,
    *,
    accounts: int,
    seed: int,
    days: int = DAYS,
    attacks: bool = True,
    further: Further = lambda _: (),
    progress: Progress | None = None,
) -> Summary:
    """Write the logs of accounts under change and attack in AWS's layouts, with labels.

    Equal arguments give equal contents. The accounts are not those of `simulate` with the same seed.

    Args:
        out: a folder that does not exist or is empty.
        accounts: how many, of three sizes in turn.
        days: attacks begin on day 14.
        attacks: whether there are any.
        further: more that happens in each account.
        progress: hears of account-days that are done.

    Raises:
        UsageError: the folder holds something, or the period is too short or too long.
    """
    if days < DAYS:
        raise UsageError(f"days is {days}: what happens in an evaluation takes at least {DAYS}")
    claim(out)
    period = Period.of(DEFAULT_START, days)
    output, indicators = Output(out), Indicators.of(seed)
    labels: list[Label] = []
    built: list[Account] = []
    for index in range(accounts):
        account = build_account(seed, 100 + index, period, SIZES[index % len(SIZES)], "default")
        root = Happening(account, indicators, "further", period)
        placed = [*_changes(account, indicators), *(_attacks(account, indicators) if attacks else ()), *further(root)]
        episodes = Episodes([_named(episode) for episode in placed])
        _write_account(output, account, episodes, progress, index, accounts)
        labels += [*episodes.labels, everything_else(account.id, period)]
        built.append(account)
    write_labels(out / "labels.csv", labels)
    write_inventory(out / "inventory.json", built)
    write_indicators(out / "indicators", seed, indicators)
    return summary_of(output, built, labels)


def _changes(account: Account, indicators: Indicators) -> Iterator[Episode]:
    for change, (least, most) in CHANGES.items():
        yield from _several(account, indicators, change.__name__, change, least, most)


def _several(
    account: Account, indicators: Indicators, name: str, build: Change, least: int, most: int
) -> Iterator[Episode]:
    count = int(account.stream("how often", name).integers(least, most + 1))
    for number in range(count):
        yield build(Happening(account, indicators, f"{name} {number}", account.period))


def _attacks(account: Account, indicators: Indicators) -> Iterator[Episode]:
    rng = account.stream("intrusions")
    for number in rng.permutation(len(SCRIPTS))[:INCIDENTS_PER_ACCOUNT]:
        script, tempo = SCRIPTS[int(number)], "slow" if rng.random() < 0.5 else "fast"
        at = Happening(account, indicators, f"{script.title}, {tempo}", account.period)
        yield Intrusion.drawn(at, script, tempo).episode()  # type: ignore[arg-type]
    others: dict[str, Change] = {
        "sign-in elsewhere within an hour": partial(distant_sign_in, hours=0.7),
        "sign-in elsewhere within the day": partial(distant_sign_in, hours=5.0),
        "gigabytes in an hour": partial(traffic.carried_off, days=1),
        "gigabytes in two days": partial(traffic.carried_off, days=2),
        "a channel for an hour": partial(traffic.hidden_channel, slow=False),
        "a channel for days": partial(traffic.hidden_channel, slow=True),
    }
    for title, build in others.items():
        if rng.random() < SHARE_OF_CONTENT:
            yield build(Happening(account, indicators, title, account.period))
    for attack in attack_families.ATTACKS:
        if attack.finding_type in _CONTENT and rng.random() < SHARE_OF_CONTENT:
            late = replace(attack, history_days=ATTACKS_FROM_DAY)
            if room := late.room(account.period):
                yield attack.build(Scene.of(account, indicators, late, room))


def _named(episode: Episode) -> Episode:
    """The same, where labels of callers name the principal as findings do, beside the session."""
    principals = {
        str(one.by.identity["arn"]): principal_of(one.by.identity) for one in episode.calls if "arn" in one.by.identity
    }
    labels = tuple(
        replace(label, entity=tuple(dict.fromkeys((*label.entity, principals.get(label.actor, label.actor)))))
        if label.actor
        else label
        for label in episode.labels
    )
    return replace(episode, labels=labels)


def _write_account(
    output: Output, account: Account, episodes: Episodes, progress: Progress | None, index: int, accounts: int
) -> None:
    flow_files = FlowFiles(output, account, FILES_EVERY_S)
    days = list(account.period.pieces(DAY))
    for number, day in enumerate(days, start=1):
        write_trail(output, account, episodes, day, FILES_EVERY_S)
        queries = pl.concat([dns_background.background(account, day), episodes.queries_in(day)])
        write_queries(output, account, queries, account.stream("dns files", day.start), FILES_EVERY_S)
        for part in day.pieces(6 * HOUR):
            hours = [to_the_internet(account, hour) for hour in part.pieces(HOUR)]
            found = pl.concat([*hours, episodes.traffic_in(part)])
            flow_files.write_conversations(found, part, account.stream("flow files", part.start))
        if progress:
            progress(index * len(days) + number, accounts * len(days))
