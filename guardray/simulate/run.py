"""Write the logs of a whole simulated organisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from guardray.errors import UsageError
from guardray.simulate import attacks as attack_families
from guardray.simulate import benign
from guardray.simulate.dns import background as dns_background
from guardray.simulate.dns.files import write_queries
from guardray.simulate.episodes import Episodes
from guardray.simulate.flow import background as flow_background
from guardray.simulate.flow.files import FlowFiles
from guardray.simulate.indicators import Indicators, write_indicators
from guardray.simulate.inventory import write_inventory
from guardray.simulate.labels import Label, everything_else, write_labels
from guardray.simulate.layout import Output
from guardray.simulate.period import DAY, DEFAULT_START, HOUR, Period
from guardray.simulate.rates import Rates
from guardray.simulate.trail.files import INTERVAL_S, write_calls
from guardray.simulate.trail.lifecycle import lifecycle_calls
from guardray.simulate.trail.objects import object_calls
from guardray.simulate.trail.office import office_calls
from guardray.simulate.trail.services import service_calls
from guardray.simulate.trail.templates import Templates
from guardray.simulate.world import Account, FlowFormat, build_account

Progress = Callable[[int, int], None]
"""Called with the account-days that are done and how many there are."""


@dataclass(frozen=True)
class Summary:
    """What was written: rows, sizes in bytes and files by source (`cloudtrail`, `flow`, `dns`); the attacks placed."""

    folder: Path
    rows: dict[str, int]
    sizes: dict[str, int]
    files: dict[str, int]
    accounts: tuple[str, ...]
    attacks: tuple[Label, ...]
    hard_negatives: int


def simulate(
    out: Path,
    *,
    accounts: int,
    days: float,
    seed: int,
    attacks: Sequence[str] | None = None,
    rate: Rates | None = None,
    start: datetime = DEFAULT_START,
    flow_format: FlowFormat | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Write the logs of `accounts` accounts over `days` days in AWS's layouts under `out`, with labels.

    Equal arguments give equal contents on every machine, and equal files where the gzip library is the same. Each
    account depends on the seed and its index only: with more accounts the first ones stay what they were. The first
    account suffers every attack, each later one about a quarter of them.

    Args:
        out: a folder that does not exist or is empty.
        attacks: finding types to place; by default all that the period is long enough for, none for an empty sequence.
        rate: how busy accounts are.
        start: an aware time.
        flow_format: `default`, `custom` or `parquet`; without it text formats alternate between accounts.

    Raises:
        UsageError: an argument is out of range, a finding type has no attack or one that takes a longer period, or the
            folder holds something.
    """
    period = Period.of(start, days)
    chosen = attack_families.chosen(attacks, period)
    if accounts < 1:
        raise UsageError(f"accounts is {accounts}, at least 1 is needed")
    claim(out)
    output, indicators = Output(out), Indicators.of(seed)
    labels: list[Label] = []
    built: list[Account] = []
    for index in range(accounts):
        account = build_account(seed, index, period, rate or Rates(), flow_format)
        placed = attack_families.place(account, chosen, indicators, every=index == 0)
        episodes = Episodes([*placed, *benign.place(account, indicators)])
        _write_account(output, account, episodes, progress, index, accounts)
        labels += [*episodes.labels, everything_else(account.id, period)]
        built.append(account)
    write_labels(out / "labels.csv", labels)
    write_inventory(out / "inventory.json", built)
    write_indicators(out / "indicators", seed, indicators)
    return summary_of(output, built, labels)


def claim(out: Path) -> None:
    """Make the folder that is written to. Raises UsageError if it holds something."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder: the simulation writes into a new one")
    out.mkdir(parents=True, exist_ok=True)


def _write_account(
    output: Output, account: Account, episodes: Episodes, progress: Progress | None, index: int, accounts: int
) -> None:
    flow_files = FlowFiles(output, account)
    days = list(account.period.pieces(DAY))
    for number, day in enumerate(days, start=1):
        write_trail(output, account, episodes, day)
        queries = pl.concat([dns_background.background(account, day), episodes.queries_in(day)])
        write_queries(output, account, queries, account.stream("dns files", day.start))
        for hour in day.pieces(HOUR):
            traffic = pl.concat([flow_background.background(account, hour), episodes.traffic_in(hour)])
            flow_files.write_conversations(traffic, hour, account.stream("flow files", hour.start))
        if progress:
            progress(index * len(days) + number, accounts * len(days))


def write_trail(
    output: Output, account: Account, episodes: Episodes, day: Period, interval_s: int = INTERVAL_S
) -> None:
    """Write all calls of an account on this day."""
    templates = Templates(account)
    found = [
        office_calls(account, day, templates),
        service_calls(account, day, templates),
        lifecycle_calls(account, day, templates),
        object_calls(account, day, templates),
        episodes.calls_in(day, templates),
    ]
    write_calls(output, account, pl.concat(found), templates, account.stream("trail files", day.start), interval_s)


def summary_of(output: Output, accounts: list[Account], labels: list[Label]) -> Summary:
    """What was written."""
    attacks = tuple(label for label in labels if label.expected != "benign")
    return Summary(
        folder=output.folder,
        rows=dict(output.rows),
        sizes=dict(output.sizes),
        files=dict(output.files),
        accounts=tuple(account.id for account in accounts),
        attacks=attacks,
        hard_negatives=len(labels) - len(attacks) - len(accounts),
    )
