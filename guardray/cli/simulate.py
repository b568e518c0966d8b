"""`guardray simulate`: synthetic accounts with attacks, in AWS's layouts, with labels."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from guardray.cli.messages import command, say
from guardray.cli.outputs import disk_errors
from guardray.cli.times import utc
from guardray.simulate import Rates, Summary, simulate
from guardray.simulate.period import DEFAULT_START, LONGEST_DAYS, SHORTEST_DAYS


def simulate_command(
    out: Annotated[Path, typer.Argument(help="Folder to write; must be new or empty.")],
    accounts: Annotated[int, typer.Option(min=1, help="AWS accounts.")] = 1,
    days: Annotated[float, typer.Option(min=SHORTEST_DAYS, max=LONGEST_DAYS, help="Days of logs.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    attack: Annotated[list[str] | None, typer.Option(help="Only this finding type's attack; may be repeated.")] = None,
    no_attacks: Annotated[bool, typer.Option("--no-attacks", help="Everyday activity only.")] = False,
    rate: Annotated[str, typer.Option(help="quiet, normal, busy, or a factor.")] = "normal",
    start: Annotated[datetime | None, typer.Option(help="First day (UTC).")] = None,
) -> None:
    """Write synthetic CloudTrail, flow and DNS logs of accounts that are under attack, and labels to score against."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("writing", total=None)
        with disk_errors(str(out)):
            summary = simulate(
                out,
                accounts=accounts,
                days=days,
                seed=seed,
                attacks=() if no_attacks else attack,
                rate=Rates.named(rate),
                start=DEFAULT_START if start is None else utc(start),
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    print_simulated(console, out, summary)
    say(console, f"\nScan it:\n  {scan_command(out)}")


def scan_command(folder: Path) -> str:
    """What finds all that was simulated, to be pasted into a shell."""
    lists = folder / "indicators"
    return shlex.join(
        [
            *command(),
            "scan",
            str(folder / "AWSLogs"),
            "--intel",
            str(lists / "intel.yaml"),
            "--threat-list",
            str(lists / "threat-list.txt"),
            "--trusted-list",
            str(lists / "trusted-list.txt"),
            "--inventory",
            str(folder / "inventory.json"),
        ]
    )


def print_simulated(console: Console, out: Path, summary: Summary) -> None:
    """Says what was written."""
    for source, rows in summary.rows.items():
        say(console, f"  {rows:>12,} {source} rows, {summary.sizes[source] / 1e6:,.1f} MB")
    say(console, f"  {len(summary.attacks)} attacks, labelled in {out / 'labels.csv'}")
