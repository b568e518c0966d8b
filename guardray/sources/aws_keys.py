"""What AWS's key names tell about the logs below them: account, Region and date, for objects and for prefixes.

Sources: CloudTrail User Guide, "Finding your CloudTrail log files"; VPC User Guide, "Publish flow logs to Amazon S3";
Route 53 Developer Guide, "Amazon S3" under "Resolver query logging"; Security Lake User Guide, "Source management".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

LATENESS_SLACK = timedelta(days=1)
"""Events lie in objects dated up to so much later: mostly minutes, a day where a delivery had to be repeated."""

EARLINESS_SLACK = timedelta(hours=1)
"""Flow log objects are dated by the start of what they hold."""

_LOG_SERVICES = frozenset({"CloudTrail", "vpcflowlogs", "vpcdnsquerylogs"})
_OTHER_SERVICES = re.compile(r"CloudTrail-\w+$|Config$|elasticloadbalancing$|WAFLogs$|GuardDuty$|network-firewall$")
"""What AWS writes beside the logs: CloudTrail's digests, insights and aggregates, Config, other services' logs."""

_MARKER = re.compile(r"\d{12}$|ConfigWritabilityCheckFile$")
"""Empty objects by which a service tries whether it may write."""

_OBJECT_NAME = re.compile(
    r"(?:(?P<account>\d{12})_)?(?:vpc-\w+_)?(?P<service>[A-Za-z][\w-]*?)_(?P<place>[a-z0-9][a-z0-9-]+)_"
    r"(?:\S*?_)?(?P<time>\d{8}T\d{4})\d*Z_?[\w.-]*$"
)
_ACCOUNT = re.compile(r"\d{12}$")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d+$")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}$")
_NUMBER = re.compile(r"\d{4}$|\d{2}$")


GLOBAL_REGIONS = frozenset({"us-east-1", "us-gov-west-1", "cn-north-1"})
"""Where events of global services say that they happened, in each partition."""


@dataclass(frozen=True, kw_only=True)
class KeyFilter:
    """Which events are wanted: `since <= time < until`, of these accounts and Regions. None or empty is no bound."""

    since: datetime | None = None
    until: datetime | None = None
    account_ids: frozenset[str] = field(default_factory=frozenset)
    regions: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return not (self.since or self.until or self.account_ids or self.regions)


@dataclass(frozen=True, kw_only=True)
class KeyFacts:
    """What a key, or the beginning of one, tells about the objects below it."""

    service: str | None = None
    account_id: str | None = None
    region: str | None = None
    time: datetime | None = None
    period: timedelta | None = None
    """The key tells the time to this much; None when it tells no time."""
    is_log: bool = True
    is_layout: bool = False
    """Whether the key is in one of AWS's layouts."""

    @property
    def is_day_known(self) -> bool:
        return self.period is not None and self.period <= timedelta(days=1)

    def may_match(self, wanted: KeyFilter) -> bool:
        """Whether an object here may hold wanted events; what is not known may be anything."""
        return (
            self.is_log
            and (not wanted.regions or self.region is None or self._may_be_of(wanted.regions))
            and (not wanted.account_ids or self._owner is None or self._owner in wanted.account_ids)
            and self._may_be_in(wanted.since, wanted.until)
        )

    def _may_be_of(self, regions: frozenset[str]) -> bool:
        """Whether events of these Regions may be here. Trails of any Region hold sign-ins and calls of global services
        such as IAM, which say that they happened in the partition's first Region."""
        holds_global_events = self.service == "CloudTrail" and bool(regions & GLOBAL_REGIONS)
        return self.region in regions or holds_global_events

    @property
    def _owner(self) -> str | None:
        """The account of all events here. Flow and query logs are kept under the account that set them up, which in
        a shared VPC is not the account of the interface."""
        return None if self.service in ("vpcflowlogs", "vpcdnsquerylogs") else self.account_id

    def _may_be_in(self, since: datetime | None, until: datetime | None) -> bool:
        if self.time is None or self.period is None:
            return True
        is_before = since is not None and self.time + self.period + EARLINESS_SLACK <= since
        is_after = until is not None and self.time >= until + LATENESS_SLACK
        return not (is_before or is_after)


def key_facts(key: str) -> KeyFacts:
    """What an object's key tells, or a prefix that ends in a slash."""
    *folders, name = key.split("/")
    facts = _folder_facts(folders)
    if key.endswith("/") or not facts.is_log:
        return facts
    if name.startswith((".", "_")) or (facts.is_layout and _MARKER.match(name)):
        return replace(facts, is_log=False)
    match = _OBJECT_NAME.match(name)
    return facts if match is None else _with_name(facts, match)


def _with_name(facts: KeyFacts, match: re.Match[str]) -> KeyFacts:
    service = match["service"]
    if service not in _LOG_SERVICES:
        return replace(facts, is_log=not _OTHER_SERVICES.match(service))
    try:
        time = datetime.strptime(match["time"], "%Y%m%dT%H%M").replace(tzinfo=UTC)
    except ValueError:
        return facts
    return replace(
        facts,
        service=service,
        account_id=facts.account_id or match["account"],
        region=facts.region or (match["place"] if _REGION.match(match["place"]) else None),
        time=time,
        period=timedelta(minutes=1),
        is_layout=True,
    )


def _folder_facts(folders: Sequence[str]) -> KeyFacts:
    if "AWSLogs" in folders:
        below = folders[folders.index("AWSLogs") + 1 :]
        return _aws_logs_facts([folder for folder in below if folder])
    if any(folder.startswith("region=") for folder in folders):
        return _lake_facts(folders)
    return KeyFacts()


def _aws_logs_facts(folders: Sequence[str]) -> KeyFacts:
    """`[o-id/]ACCOUNT/SERVICE/REGION/YYYY/MM/DD/[HH/]`, each plain or as `name=value`."""
    values = [folder.split("=", 1)[-1] for folder in folders]
    if values and _ORGANIZATION.match(values[0]):
        values = values[1:]
    account, service, place = (*values[:3], None, None, None)[:3]
    if account is not None and not _ACCOUNT.match(account):
        return KeyFacts()
    if service is not None and service not in _LOG_SERVICES:
        return KeyFacts(account_id=account, is_log=not _OTHER_SERVICES.match(service), is_layout=True)
    time, period = _date(values[3:])
    region = place if place and _REGION.match(place) else None
    return KeyFacts(service=service, account_id=account, region=region, time=time, period=period, is_layout=True)


def _lake_facts(folders: Sequence[str]) -> KeyFacts:
    """Security Lake: `region=REGION/accountId=ACCOUNT/eventDay=YYYYMMDD/`."""
    named = dict(folder.split("=", 1) for folder in folders if "=" in folder)
    account, day = named.get("accountId"), named.get("eventDay", "")
    time, period = _date([day[:4], day[4:6], day[6:8]]) if day else (None, None)
    return KeyFacts(
        account_id=account if account and _ACCOUNT.match(account) else None,
        region=named.get("region"),
        time=time,
        period=period,
        is_layout=True,
    )


def _date(parts: Sequence[str]) -> tuple[datetime | None, timedelta | None]:
    """Start and length of the year, month, day or hour that these name."""
    numbers = list(_numbers(parts))
    if not numbers:
        return None, None
    year, month, day, hour = [*numbers, *(1, 1, 1, 0)[len(numbers) :]]
    try:
        start = datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None, None
    return start, (timedelta(days=366), timedelta(days=31), timedelta(days=1), timedelta(hours=1))[len(numbers) - 1]


def _numbers(parts: Sequence[str]) -> Iterator[int]:
    for part in parts[:4]:
        if not _NUMBER.match(part):
            return
        yield int(part)
