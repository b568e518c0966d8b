"""What commands tell of detections of one's own."""

from __future__ import annotations

from rich.console import Console

from guardray.cli.messages import say
from guardray.rulebook.loading import OwnDetections


def tell_problems(own: OwnDetections, console: Console) -> None:
    """A line for each detection that does not run."""
    for problem in own.problems:
        say(console, f"not loaded: {problem}", "yellow")
