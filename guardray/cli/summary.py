"""What a scan says when it is done: how much was read, what could not be used, what was found."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from guardray.cli.messages import counted, say
from guardray.dataflow.scan import ScanResult
from guardray.findings.finding import Finding
from guardray.sources.set_aside import SetAsideFolder


def print_summary(
    console: Console,
    objects: int,
    result: ScanResult,
    findings: Sequence[Finding],
    folder: SetAsideFolder,
    seconds: float,
) -> None:
    """Prints a few lines."""
    counts = result.counts
    rate = counts.read / seconds if seconds else 0.0
    read = f"{counted(counts.read, 'row')} of {counted(objects, 'object')}"
    say(console, f"{counted(len(findings), 'finding')} in {read}, {seconds:.1f} s, {rate:,.0f} rows/s", "bold")
    if not objects:
        say(console, "  nothing to read: check the path, and the filters if there are any", "yellow")
    notes = {
        "delivered twice, counted once": result.duplicates,
        "copies of other objects, read once": counts.duplicate_objects,
        "flow records without traffic (NODATA, SKIPDATA)": counts.empty,
        "passed over (other categories, or filtered out)": counts.passed_over,
        "late, or dated days after their object: seen only by rules that look at single events": counts.late,
    }
    for what, number in notes.items():
        if number:
            say(console, f"  {number:,} {what}", "dim")
    if counts.set_aside or counts.set_aside_objects:
        say(
            console,
            f"  {counted(counts.set_aside, 'row')} and {counted(counts.set_aside_objects, 'object')} set aside, "
            f"see {folder}",
            "yellow",
        )
