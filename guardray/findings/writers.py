"""Findings to a stream, in the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TextIO, get_args

import msgspec

from guardray.errors import UsageError
from guardray.findings.asff import to_asff
from guardray.findings.finding import Finding, most_urgent_first
from guardray.findings.ocsf import to_ocsf
from guardray.findings.wire import to_json

Format = Literal["table", "jsonl", "ocsf", "asff"]

_LINES: dict[str, Callable[[Finding], dict[str, Any]]] = {"jsonl": to_json, "ocsf": to_ocsf, "asff": to_asff}
_WIDTH_WITHOUT_TERMINAL = 160


def write_findings(findings: Iterable[Finding], stream: TextIO, format: Format) -> None:  # noqa: A002 - as --format
    """Write findings, most urgent first: a table, or one JSON object a line.

    The table is coloured and fitted where the stream is a terminal, and plain text of a fixed width elsewhere.
    Raises UsageError for a format that there is not.
    """
    if format == "table":
        _write_table(findings, stream)
    elif format in _LINES:
        _write_lines(findings, stream, _LINES[format])
    else:
        raise UsageError(f"format {format!r} is not one of {', '.join(get_args(Format))}")


def _write_lines(findings: Iterable[Finding], stream: TextIO, shape: Callable[[Finding], dict[str, Any]]) -> None:
    for finding in most_urgent_first(findings):
        stream.write(msgspec.json.encode(shape(finding)).decode() + "\n")


def _write_table(findings: Iterable[Finding], stream: TextIO) -> None:
    # Imported here: the other formats, and most commands, do without a terminal library.
    from rich.console import Console

    from guardray.findings.table import FindingsTable

    width = None if stream.isatty() else _WIDTH_WITHOUT_TERMINAL
    Console(file=stream, width=width).print(FindingsTable(findings))
