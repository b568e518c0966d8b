"""What commands that read logs share: which objects and events are wanted, and the engine that reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console

from guardray.cli.detections import tell_problems
from guardray.cli.messages import say
from guardray.cli.options import EngineName, Reading
from guardray.cli.times import utc
from guardray.dataflow.baseline import Baseline
from guardray.dataflow.scan import Engine, ScanSettings
from guardray.detectors.declare import Detector, activities_of
from guardray.errors import DetectorError, LeftOutError, UsageError
from guardray.geo.geography import Geography
from guardray.intel.library import load_indicators
from guardray.inventory import read_inventory
from guardray.rulebook.loading import OwnDetections, chosen, load_own
from guardray.sources.limits import Limits
from guardray.sources.objects import InputObject, KeyFilter

RAY_WORTHWHILE_BYTES = 4 * 2**30
"""`auto` starts Ray above this: a cluster needs some 20 s to start, in which one core reads a gigabyte or two."""

PROBLEMS_SHOWN = 20
"""Failures of detectors that are printed; a broken one may fail on every row."""

_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[\w-]+", re.ASCII)
"""Clouds that are built like AWS name their Regions in ways of their own."""


def settings_of(
    reading: Reading,
    console: Console,
    *,
    baseline: Baseline,
    types: Sequence[str] = (),
    wanted: Callable[[Detector], bool] = lambda _: True,
) -> tuple[ScanSettings, OwnDetections]:
    """What a command is to read logs with, and the detections of one's own among it. What is odd is told.

    Args:
        reading: the options.
        console: where notices go.
        baseline: what is usual; of it is used what was learned with the same definitions.
        types: only these finding types; all if none is named.
        wanted: which detectors.

    Raises:
        UsageError: an option is wrong.
    """
    key_filter = key_filter_of(reading.since, reading.until, reading.account, reading.region)
    threats, trusted = reading.threat_list or (), reading.trusted_list or ()
    indicators, notices = load_indicators(reading.intel, threats, trusted, reading.state, offline=reading.offline)
    for notice in notices:
        say(console, notice, "yellow")
    own = load_own(reading.detections)
    tell_problems(own, console)
    detectors = tuple(detector for detector in chosen(own, types) if wanted(detector))
    baseline, refused = baseline.fitting(activities_of(detectors))
    for notice in refused:
        say(console, notice, "yellow")
    settings = ScanSettings(
        detectors=detectors,
        indicators=indicators,
        geography=Geography.load(reading.geo or (), reading.aws_ranges),
        assets=read_inventory(reading.inventory or ()),
        baseline=baseline,
        limits=Limits(lateness=timedelta(hours=reading.lateness)),
        key_filter=key_filter,
        s3_endpoint=reading.s3_endpoint,
    )
    return settings, own


def key_filter_of(
    since: datetime | None, until: datetime | None, account: Sequence[str] | None, region: Sequence[str] | None
) -> KeyFilter:
    """Which objects and events are wanted.

    Raises:
        UsageError: a time, an account or a Region cannot be.
    """
    since, until, accounts, regions = since and utc(since), until and utc(until), account or (), region or ()
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {since:%Y-%m-%dT%H:%M:%S} is not before --until {until:%Y-%m-%dT%H:%M:%S}")
    if wrong := [account for account in accounts if not _ACCOUNT.fullmatch(account)]:
        raise UsageError(f"--account {wrong[0]!r} is not an account id of 12 digits")
    if wrong := [region for region in regions if not _REGION.fullmatch(region)]:
        raise UsageError(f"--region {wrong[0]!r} is not the name of a Region, such as eu-west-1")
    return KeyFilter(since=since, until=until, account_ids=frozenset(accounts), regions=frozenset(regions))


def open_baseline(folder: Path) -> Baseline:
    """What was learned into the folder.

    Raises:
        UsageError: it is no folder.
        SnapshotError: it is missing, or nothing that was learned.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--baseline {folder}: is not a folder")
    Baseline.is_kept(folder)
    return Baseline.open(folder)


def make_engine(
    name: EngineName,
    settings: ScanSettings,
    objects: Sequence[InputObject],
    workers: int | None = None,
    address: str | None = None,
) -> Engine:
    """The engine by name; `auto` decides by the size of the input.

    Raises:
        UsageError: the local engine is wanted, and something that only Ray has.
    """
    if name is EngineName.LOCAL and (address is not None or workers is not None):
        raise UsageError(f"{'--workers' if address is None else '--address'} is for Ray: leave out --engine local")
    if address is not None and not address.strip():
        raise UsageError("--address is empty: auto or HOST:PORT")
    size = sum(obj.size or 0 for obj in objects)
    large = size > RAY_WORTHWHILE_BYTES or address is not None or workers is not None
    if name is EngineName.RAY or (name is EngineName.AUTO and large):
        from guardray.runtime.engine import RayEngine  # importing Ray takes a second that a local scan need not spend

        return RayEngine(settings, workers=workers, address=address)
    from guardray.dataflow.local import LocalEngine

    return LocalEngine(settings)


def tell_failures(problems: Sequence[DetectorError], console: Console) -> None:
    """Says which detectors failed, and which did not look at everything, each once."""
    distinct = list(dict.fromkeys(map(_failure, problems)))
    for problem in distinct[:PROBLEMS_SHOWN]:
        say(console, problem, "red")
    if len(distinct) > PROBLEMS_SHOWN:
        say(console, f"detectors failed {len(distinct) - PROBLEMS_SHOWN:,} times more", "red")


def _failure(problem: DetectorError) -> str:
    return f"{'not all was looked at' if isinstance(problem, LeftOutError) else 'detector failed'}: {problem}"
