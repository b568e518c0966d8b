"""`guardray demo`: the main job on made-up logs, with nothing to download."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.messages import command, say
from guardray.cli.options import EngineName
from guardray.cli.outputs import Outputs, disk_errors
from guardray.cli.scan import run_scan
from guardray.cli.scanning import make_engine
from guardray.cli.simulate import print_simulated, scan_command
from guardray.dataflow.scan import ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.geo.geography import Geography
from guardray.intel.library import load_indicators
from guardray.inventory import read_inventory
from guardray.simulate import Rates, Summary, simulate
from guardray.sources.objects import locate

SEED = 7

SERVICE = """\
# The service on the demo's logs, with what the demo's scan knew beforehand.
data: data
sources: [AWSLogs]
intel: indicators/intel.yaml
threat_lists: [indicators/threat-list.txt]
trusted_lists: [indicators/trusted-list.txt]
inventory: [inventory.json]
offline: true
"""


def demo(
    folder: Annotated[Path | None, typer.Option(help="Keep the logs and findings here.")] = None,
    engine: Annotated[EngineName, typer.Option(help="local, or ray to see it distributed.")] = EngineName.LOCAL,
) -> None:
    """Simulate a day of one account that is attacked in many ways, scan it, and show what was found."""
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="guardray-demo-"))
    console = Console(stderr=True)
    say(console, f"Writing a day of logs of a made-up account to {folder}", "bold")
    with disk_errors(str(folder)):
        summary = simulate(folder, accounts=1, days=1, seed=SEED, rate=Rates.named("quiet"))
    print_simulated(console, folder, summary)
    findings = folder / "findings.jsonl"
    lists = folder / "indicators"
    indicators, _ = load_indicators(
        lists / "intel.yaml", [lists / "threat-list.txt"], [lists / "trusted-list.txt"], folder, offline=True
    )
    settings = ScanSettings(
        detectors=load_detectors(),
        indicators=indicators,
        geography=Geography.load(),
        assets=read_inventory([folder / "inventory.json"]),
    )
    objects = locate([str(folder / "AWSLogs")], settings.key_filter)
    say(console, "Scanning it", "bold")
    outputs = Outputs(output=findings, format_="jsonl", store=str(folder / "findings.sqlite"), state=folder)
    run_scan(settings, objects, make_engine(engine, settings, objects), outputs)
    say(console, _score(summary, findings), "bold")
    with disk_errors(str(folder)):
        (folder / "guardray.yaml").write_text(SERVICE, encoding="utf-8")
    say(console, _next_steps(folder, findings))


def _score(summary: Summary, findings: Path) -> str:
    placed = {type_ for attack in summary.attacks for type_ in attack.expected.split(";")}
    found = {json.loads(line)["type"] for line in findings.read_text(encoding="utf-8").splitlines()}
    others = ", ".join(sorted(found - placed)) or "none"
    return f"{len(placed & found)} of the {len(placed)} finding types that were acted out were found; others: {others}"


def _next_steps(folder: Path, findings: Path) -> str:
    program = shlex.join(command())
    region = json.loads(findings.read_text(encoding="utf-8").partition("\n")[0])["region"]
    return f"""
Look further:
  one finding in GuardDuty's JSON    head -1 {shlex.quote(str(findings))} | {shlex.quote(sys.executable)} -m json.tool
  what was injected, and when        {folder / "labels.csv"}
  what each finding type needs       {program} detectors list
  the scan again                     {scan_command(folder)}
  your own logs                      {program} scan s3://BUCKET/AWSLogs/ --output findings.jsonl

GuardDuty's API in front of these logs, with the key that it shows when it starts:
  {program} serve --config {shlex.quote(str(folder / "guardray.yaml"))}
  aws guardduty list-detectors --endpoint-url http://127.0.0.1:8000 --region {region}
"""
