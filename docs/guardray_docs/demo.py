"""The picture of what `guardray demo` prints. It is a minute's illustration and not held to be current by a test."""

from __future__ import annotations

import io
import json
import re
import tempfile
from pathlib import Path

from rich.console import Console

from guardray.cli.demo import demo
from guardray.findings.table import FindingsTable
from guardray.findings.wire import from_json

WIDTH = 120
EVERY = 3
"""Every third finding: all severities and many types, in a picture that fits a screen."""


def picture() -> str:
    """An SVG of every third finding of the demo."""
    with tempfile.TemporaryDirectory() as folder:
        demo(Path(folder) / "demo")
        lines = (Path(folder) / "demo" / "findings.jsonl").read_text(encoding="utf-8").splitlines()
    findings = [from_json(json.loads(line)) for line in lines[::EVERY]]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(FindingsTable(findings))
    svg = console.export_svg(title="guardray demo (every third finding)")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no font is fetched to look at a picture
