"""Where `guardray models` finds versions of models, and what is named on its command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from guardray.errors import UsageError

if TYPE_CHECKING:
    from guardray.detectors.features import FeatureSpec
    from guardray.models.registry import Registry

DATA_FOLDER = Path("guardray-data")

DataOption = Annotated[Path, typer.Option(help="Folder of the service: its models and what they learn from.")]
BaselineOption = Annotated[Path | None, typer.Option(help="Folder that `train --baseline` wrote, in its place.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FamilyArgument = Annotated[str, typer.Argument(help="What the models look at, as `list` names it.")]


def registry_of(data: Path, baseline: Path | None) -> Registry:
    """The registry in a folder. Raises UsageError where there is none."""
    from guardray.models.registry import FOLDER, Registry

    root = (baseline or data) / FOLDER
    if not root.is_dir():
        raise UsageError(f"{root}: there are no models yet; `guardray train` makes them")
    return Registry(root)


def version_of(registry: Registry, family: str, beginning: str) -> str:
    """The one version that begins so. Raises UsageError where none does, or several do."""
    cards, _ = registry.cards(family)
    found = [card.version for card in cards if card.version.startswith(beginning)]
    if beginning in found:
        return beginning
    if len(found) != 1:
        problem = f"{len(found)} versions begin" if found else "no version begins"
        raise UsageError(f"{family}: {problem} with {beginning!r}; `guardray models list` shows them")
    return found[0]


def specs() -> dict[str, FeatureSpec]:
    """What families look at, by their names."""
    from guardray.detectors.features import specs_of
    from guardray.detectors.loader import load_detectors

    return {spec.name: spec for spec in specs_of(load_detectors())}


def spec_of(family: str) -> FeatureSpec:
    """What a family looks at. Raises UsageError where there is none of this name."""
    known = specs()
    if family not in known:
        raise UsageError(f"there is no family {family!r}; there are {', '.join(known)}")
    return known[family]


def wide() -> Console:
    """Where tables are printed."""
    from guardray.cli.detector_pages import wide_console

    return wide_console()
