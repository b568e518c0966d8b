"""`guardray models`: the versions of behaviour models, which are in force, and what another one would change."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.messages import counted, print_json, say
from guardray.cli.models_places import (
    DATA_FOLDER,
    BaselineOption,
    DataOption,
    FamilyArgument,
    JsonOption,
    registry_of,
    spec_of,
    version_of,
    wide,
)
from guardray.cli.models_shadow import shadows
from guardray.cli.models_shown import card_page, cards_table, changes_table, promotions_table
from guardray.cli.models_trained import train_now
from guardray.errors import UsageError

INCOMPLETE_STATUS = 3

COMPARED_DAYS = 28

app = typer.Typer(help="Models of behaviour: versions, which are in force, and what differs.", no_args_is_help=True)

app.command("shadow")(shadows)
app.command("train")(train_now)

VersionArgument = Annotated[str, typer.Argument(help="A version, or the beginning of one that no other begins with.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for those who read the history.")]


@app.command("list")
def list_models(data: DataOption = DATA_FOLDER, baseline: BaselineOption = None, json: JsonOption = False) -> None:
    """Lists all versions and which are in force. Exits with 3 where some cannot be read."""
    registry = registry_of(data, baseline)
    cards, errors = registry.cards()
    in_force = registry.promotions().in_force
    if json:
        print_json([{"in_force": in_force.get(card.family) == card.version, "card": card} for card in cards])
    else:
        wide().print(cards_table(cards, in_force))
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
    registry = registry_of(data, baseline)
    promotions = registry.promotions()
    wanted = version_of(registry, family, version) if version else promotions.in_force.get(family)
    if wanted is None:
        raise UsageError(f"{family}: no version is in force")
    registry.load(family, wanted)
    card = registry.card(family, wanted)
    history = [one for one in promotions.history if one.family == family]
    if json:
        print_json({"card": card, "history": history})
    else:
        console = wide()
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
    registry = registry_of(data, baseline)
    wanted = version_of(registry, family, version)
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
    done = registry_of(data, baseline).roll_back(family, at=datetime.now(UTC), by=_who(), reason=reason)
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
    from guardray.models.shadow import differences, told

    registry, spec = registry_of(data, baseline), spec_of(family)
    wanted = version_of(registry, family, version)
    base = version_of(registry, family, other) if other else registry.promotions().in_force.get(family)
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
    console = wide()
    console.print(changes_table(found, base, wanted))
    say(console, f"{counted(found.height, 'finding')} from {since} to {kept[-1]}: {told(found)}", "bold")


def _who() -> str:
    """Who is logged in; the number where the user has no name."""
    try:
        return f"local:{getpass.getuser()}"
    except (OSError, KeyError):
        return f"local:{os.getuid()}"
