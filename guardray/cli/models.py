"""`guardray models`: the versions of behaviour models, which are in force, and what another one would change."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from guardray.cli.messages import counted, print_json, say
from guardray.cli.models_shown import card_page, cards_table, changes_table, promotions_table
from guardray.errors import UsageError

if TYPE_CHECKING:
    from guardray.detectors.features import FeatureSpec
    from guardray.models.registry import Registry

DATA_FOLDER = Path("guardray-data")

INCOMPLETE_STATUS = 3

COMPARED_DAYS = 28

app = typer.Typer(help="Models of behaviour: versions, which are in force, and what differs.", no_args_is_help=True)

DataOption = Annotated[Path, typer.Option(help="Folder of the service: its models and what they learn from.")]
BaselineOption = Annotated[Path | None, typer.Option(help="Folder that `train --baseline` wrote, in its place.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FamilyArgument = Annotated[str, typer.Argument(help="What the models look at, as `list` names it.")]
VersionArgument = Annotated[str, typer.Argument(help="A version, or the beginning of one that no other begins with.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for those who read the history.")]


@app.command("list")
def list_models(data: DataOption = DATA_FOLDER, baseline: BaselineOption = None, json: JsonOption = False) -> None:
    """Lists all versions and which are in force. Exits with 3 where some cannot be read."""
    registry = _registry(data, baseline)
    cards, errors = registry.cards()
    in_force = registry.promotions().in_force
    if json:
        print_json([{"in_force": in_force.get(card.family) == card.version, "card": card} for card in cards])
    else:
        _console().print(cards_table(cards, in_force))
    for error in errors:
        say(Console(stderr=True), str(error), "bold red")
    raise typer.Exit(INCOMPLETE_STATUS if errors else 0)


@app.command("show")
def show_model(
    family: FamilyArgument,
    version: Annotated[str | None, typer.Argument(help="A version; without it the one in force.")] = None,
    data: DataOption = DATA_FOLDER,
    baseline: BaselineOption = None,
    json: JsonOption = False,
) -> None:
    """Shows one version: what it learned, how well it did, and when it was in force. Its file is checked."""
    registry = _registry(data, baseline)
    promotions = registry.promotions()
    wanted = _version(registry, family, version) if version else promotions.in_force.get(family)
    if wanted is None:
        raise UsageError(f"{family}: no version is in force")
    registry.load(family, wanted)
    card = registry.card(family, wanted)
    history = [one for one in promotions.history if one.family == family]
    if json:
        print_json({"card": card, "history": history})
    else:
        console = _console()
        console.print(card_page(card, promotions.in_force.get(family) == wanted))
        console.print(promotions_table(history))


@app.command("promote")
def promote(
    family: FamilyArgument,
    version: VersionArgument,
    reason: ReasonOption = "",
    data: DataOption = DATA_FOLDER,
    baseline: BaselineOption = None,
) -> None:
    """Puts a version in force. A service that runs takes it up by itself."""
    registry = _registry(data, baseline)
    wanted = _version(registry, family, version)
    done = registry.promote(family, wanted, at=datetime.now(UTC), by=_who(), reason=reason)
    typer.echo(f"{family}: {done.version} is in force, {done.before or 'nothing'} was before")


@app.command("rollback")
def roll_back(
    family: FamilyArgument,
    reason: ReasonOption = "",
    data: DataOption = DATA_FOLDER,
    baseline: BaselineOption = None,
) -> None:
    """Puts the version in force that was before."""
    done = _registry(data, baseline).roll_back(family, at=datetime.now(UTC), by=_who(), reason=reason)
    typer.echo(f"{family}: {done.version} is in force again, {done.before} no more")


@app.command("compare")
def compare(
    family: FamilyArgument,
    version: VersionArgument,
    other: Annotated[str | None, typer.Argument(help="Compared with; without it the one in force.")] = None,
    days: Annotated[int, typer.Option(min=1, help="The latest days of the archive.")] = COMPARED_DAYS,
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    data: DataOption = DATA_FOLDER,
    baseline: BaselineOption = None,
    json: JsonOption = False,
) -> None:
    """Shows on past days which findings would appear with a version, and which would vanish."""
    from guardray.models.archive import FOLDER, Archive
    from guardray.models.shadow import differences

    registry, spec = _registry(data, baseline), _spec(family)
    wanted = _version(registry, family, version)
    base = _version(registry, family, other) if other else registry.promotions().in_force.get(family)
    if base is None:
        raise UsageError(f"{family}: no version is in force to compare with; name one")
    families = [registry.load(family, one) for one in (base, wanted)]
    for one, models in zip((base, wanted), families, strict=True):
        if models.definition != spec.definition:
            raise UsageError(f"{family} {one}: it learned other features; train again")
    archive = Archive((baseline or data) / FOLDER)
    kept = archive.days(spec)
    if not kept:
        raise UsageError(f"{archive.root}: no rows of {family} are kept there")
    since: date = kept[-1] - timedelta(days=days - 1)
    found = differences(families[0], families[1], spec, archive.read(spec, since=since, account=account))
    if json:
        print_json(found.with_columns(found["day"].cast(str)).to_dicts())
        return
    console = _console()
    console.print(changes_table(found, base, wanted))
    counts = {change: (found["change"] == change).sum() for change in ("appears", "vanishes", "stays")}
    told = ", ".join(f"{many} {change.rstrip('s') if many != 1 else change}" for change, many in counts.items())
    say(console, f"{counted(found.height, 'finding')} from {since} to {kept[-1]}: {told}", "bold")


def _registry(data: Path, baseline: Path | None) -> Registry:
    from guardray.models.registry import FOLDER, Registry

    root = (baseline or data) / FOLDER
    if not root.is_dir():
        raise UsageError(f"{root}: there are no models yet; `guardray train` makes them")
    return Registry(root)


def _version(registry: Registry, family: str, beginning: str) -> str:
    """The one version that begins so."""
    cards, _ = registry.cards(family)
    found = [card.version for card in cards if card.version.startswith(beginning)]
    if beginning in found:
        return beginning
    if len(found) != 1:
        problem = f"{len(found)} versions begin" if found else "no version begins"
        raise UsageError(f"{family}: {problem} with {beginning!r}; `guardray models list` shows them")
    return found[0]


def _spec(family: str) -> FeatureSpec:
    from guardray.detectors.features import specs_of
    from guardray.detectors.loader import load_detectors

    specs = {spec.name: spec for spec in specs_of(load_detectors())}
    if family not in specs:
        raise UsageError(f"there is no family {family!r}; there are {', '.join(specs)}")
    return specs[family]


def _console() -> Console:
    from guardray.cli.detector_pages import wide_console

    return wide_console()


def _who() -> str:
    """Who is logged in; the number where the user has no name."""
    try:
        return f"local:{getpass.getuser()}"
    except (OSError, KeyError):
        return f"local:{os.getuid()}"
