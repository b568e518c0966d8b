"""The command's root: subcommands, exit statuses, and errors as one line."""

from __future__ import annotations

import io
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from guardray import __version__
from guardray.cli.bench import bench
from guardray.cli.demo import demo
from guardray.cli.detectors import app as detectors_app
from guardray.cli.doctor import doctor
from guardray.cli.intel import app as intel_app
from guardray.cli.interrupts import INTERRUPTED_STATUS
from guardray.cli.inventory import app as inventory_app
from guardray.cli.keys import app as keys_app
from guardray.cli.messages import harmless
from guardray.cli.models import app as models_app
from guardray.cli.publish import app as publish_app
from guardray.cli.scan import scan
from guardray.cli.serve import serve
from guardray.cli.simulate import simulate_command
from guardray.cli.state import app as state_app
from guardray.cli.status import status_command
from guardray.cli.train import train
from guardray.errors import GuardrayError

USAGE_STATUS = 2

app = typer.Typer(
    name="guardray",
    help="Self-hosted threat detection for AWS logs, in GuardDuty's finding types.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("scan")(scan)
app.command("train")(train)
app.command("serve")(serve)
app.command("demo")(demo)
app.command("simulate")(simulate_command)
app.add_typer(detectors_app, name="detectors")
app.add_typer(models_app, name="models")
app.add_typer(intel_app, name="intel")
app.add_typer(inventory_app, name="inventory")
app.add_typer(publish_app, name="publish")
app.add_typer(keys_app, name="keys")
app.command("status")(status_command)
app.add_typer(state_app, name="state")
app.command("bench")(bench)
app.command("doctor")(doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"guardray {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Self-hosted threat detection for AWS logs, in GuardDuty's finding types."""


def run() -> None:
    """Runs the command. An error is one line on stderr; `--verbose` adds the traceback.

    Raises:
        SystemExit: always, with the exit status.
        KeyboardInterrupt: it was interrupted.
    """
    _open_streams()
    try:
        status = app(standalone_mode=False)
    except TyperException as error:
        raise _ended(error.format_message().replace("Value error, ", ""), error.exit_code) from None
    except Abort:
        raise KeyboardInterrupt from None
    except (BrokenPipeError, SystemExit):  # typer makes the one the other, with a status of 1
        # Whoever read our output has enough of it. Python would complain on the way out, so it writes to nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception as error:  # also what nobody expected: a status of 1 would say that --fail-on found something
        if "--verbose" in sys.argv:
            traceback.print_exc()
        raise _ended(_told(error), USAGE_STATUS) from None
    if status == INTERRUPTED_STATUS:  # typer has caught the interrupt
        raise KeyboardInterrupt
    raise SystemExit(status)


def _open_streams() -> None:
    """Sees to it that writing does not fail for what the streams are: closed, or in an encoding that lacks a letter."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as we run
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _told(error: Exception) -> str:
    """An error in one line, and where to look where it should not have come so far."""
    if isinstance(error, GuardrayError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    told = " ".join(f"{type(error).__name__}: {error}".split())
    return f"unexpected {told}; --verbose shows where, which is worth a report"


def _ended(message: str, status: int) -> SystemExit:
    if message:  # none where the help was shown instead
        typer.echo(harmless(f"guardray: {message}"), err=True)
    return SystemExit(status)
