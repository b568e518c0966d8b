"""Ray: whether it can be imported, and, where that is asked for, whether it runs a task."""

from __future__ import annotations

from importlib import metadata

from guardray.cli.checks.check import Check, fail, ok
from guardray.errors import UsageError


def check_ray(*, run_task: bool, address: str | None = None) -> Check:
    """Imports Ray; `run_task` starts an instance, or joins the one at `address`, and runs one task."""
    try:
        from guardray.runtime.probe import seconds_of_one_task  # importing Ray costs a second
    except ImportError as error:
        return fail("Ray", f"cannot be imported: {error}", "install it again: pip install -c constraints.txt -e .")
    version = metadata.version("ray")
    if not run_task:
        return ok("Ray", f"{version}, not started (--ray starts it and runs a task)")
    try:
        seconds = seconds_of_one_task(address)
    except UsageError as error:
        return fail("Ray", f"{version}: {error}", "look into the newest session's logs below /tmp/ray")
    return ok("Ray", f"{version}, started and ran a task in {seconds:.1f} s")
