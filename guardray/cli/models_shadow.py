"""`guardray models shadow`: versions that wait for a person, beside those in force, on the days since."""

from __future__ import annotations

from guardray.cli.messages import print_json
from guardray.cli.models_places import (
    DATA_FOLDER,
    BaselineOption,
    DataOption,
    JsonOption,
    registry_of,
    specs,
    wide,
)
from guardray.cli.models_shown import changes_table


def shadows(data: DataOption = DATA_FOLDER, baseline: BaselineOption = None, json: JsonOption = False) -> None:
    """Shows what versions that wait would have told of since they learned, and what they would have left out."""
    from guardray.models.archive import FOLDER, Archive
    from guardray.models.shadow import shadow

    registry, archive = registry_of(data, baseline), Archive((baseline or data) / FOLDER)
    found = {name: seen for name, spec in specs().items() if (seen := shadow(registry, archive, spec)) is not None}
    if json:
        told = [
            {
                "family": name,
                "live": seen.live,
                "candidate": seen.candidate,
                "since": seen.since.isoformat(),
                "until": seen.until.isoformat(),
                "changes": seen.changes.with_columns(seen.changes["day"].cast(str)).to_dicts(),
            }
            for name, seen in found.items()
        ]
        print_json(told)
        return
    console = wide()
    for name, seen in found.items():
        console.print(f"{name}: {seen}", highlight=False)
        console.print(changes_table(seen.changes, seen.live, seen.candidate))
    if not found:
        console.print("no version waits that a day has passed since it learned", highlight=False)
