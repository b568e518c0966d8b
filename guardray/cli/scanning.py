"""What commands that read logs share: which objects and events are wanted, and the engine that reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console

from guardray.cli.messages import say
from guardray.cli.options import EngineName
from guardray.cli.times import utc
from guardray.dataflow.scan import Engine, ScanSettings
from guardray.errors import DetectorError, LeftOutError, UsageError
from guardray.sources.objects import InputObject, KeyFilter

RAY_WORTHWHILE_BYTES = 4 * 2**30
"""`auto` starts Ray above this: a cluster needs some 20 s to start, in which one core reads a gigabyte or two."""

PROBLEMS_SHOWN = 20
"""Failures of detectors that are printed; a broken one may fail on every row."""

_ACCOUNT = re.compile(r"\d{12}")


def key_filter_of(
    since: datetime | None, until: datetime | None, account: Sequence[str] | None, region: Sequence[str] | None
) -> KeyFilter:
    """Which objects and events are wanted.

    Raises:
        UsageError: a time or an account cannot be.
    """
    since, until, accounts, regions = since and utc(since), until and utc(until), account or (), region or ()
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {since:%Y-%m-%dT%H:%M:%S} is not before --until {until:%Y-%m-%dT%H:%M:%S}")
    if wrong := [account for account in accounts if not _ACCOUNT.fullmatch(account)]:
        raise UsageError(f"--account {wrong[0]!r} is not an account id of 12 digits")
    return KeyFilter(since=since, until=until, account_ids=frozenset(accounts), regions=frozenset(regions))


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
