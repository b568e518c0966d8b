"""`guardray inventory`: which instances and interfaces there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from guardray.cli.messages import counted
from guardray.cli.outputs import check_new_file, disk_errors

app = typer.Typer(help="Which instances and interfaces there are.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Which instances and interfaces there are."""


@app.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="JSON file to write.")],
    region: Annotated[
        list[str] | None, typer.Option(help="A Region to ask; may be repeated. The configured one if not given.")
    ] = None,
) -> None:
    """Writes an inventory file of the account that the AWS credentials in the environment belong to.

    Needs ec2:DescribeInstances and ec2:DescribeNetworkInterfaces.
    """
    from guardray.inventory.describe import documents  # boto3 takes long to import

    check_new_file("out", out)
    found = documents(region or ())
    with disk_errors(str(out)):
        out.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    for one in found:
        instances = counted(len(one["Instances"]), "instance")
        interfaces = counted(len(one["NetworkInterfaces"]), "interface")
        typer.echo(f"{one['AccountId']} {one['Region']}: {instances}, {interfaces}", err=True)
