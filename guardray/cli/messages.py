"""Lines for people on a console, with what comes out of logs, file names and object keys made harmless."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.console import Console

from guardray.findings.table import printable


def say(console: Console, text: str, style: str = "") -> None:
    """Prints a line as it is: nothing in it is markup or controls the terminal, and a narrow one does not break it."""
    console.print(harmless(text), style=style, markup=False, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Prints a value as indented JSON on standard output: in UTF-8, whatever the terminal's own encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    typer.echo(msgspec.json.format(msgspec.json.encode(value)))


def harmless(text: str) -> str:
    """The text without control characters other than line ends."""
    return "\n".join(map(printable, text.split("\n")))


def command() -> list[str]:
    """How this program was called, to be typed again."""
    return ["python", "-m", "guardray"] if Path(sys.argv[0]).name == "__main__.py" else [sys.argv[0]]


def counted(number: int, noun: str) -> str:
    """Such as `1 row` and `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
