"""Which state this program can go on from: its own, older state that it knows how to bring up to date, and no newer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from guardray.errors import RefusedStateError

STATE_VERSION = 2
"""Of the manifest, and of what is in the tables: their names, columns, hashes and summaries."""

Tables = Mapping[str, pa.Table]

Migration = Callable[[str, Tables], Tables]
"""Makes the tables of a part, given its name, into those of the next version."""

MIGRATIONS: Mapping[int, Migration] = {
    1: lambda part, tables: tables,  # of an activity, they do not tell yet how it was defined
}
"""By the version that they lead on from. Version 1 is the first, so nothing leads to it."""


def check_version(found: int, written_by: str, place: str, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
    """Make sure that this program can go on from state of a version.

    Args:
        found: the version of the state.
        written_by: version of the program that wrote it.
        place: where the state is.

    Raises:
        RefusedStateError: it is newer, or a step from there is not known.
    """
    written = f"guardray {written_by} wrote this state, of version {found}"
    if found > STATE_VERSION:
        raise RefusedStateError(
            place, f"{written}, and this program knows {STATE_VERSION}: use that guardray or a newer one"
        )
    if any(version not in migrations for version in range(found, STATE_VERSION)):
        raise RefusedStateError(
            place,
            f"{written}, and this program cannot bring it to {STATE_VERSION}: use that guardray, or begin anew with"
            " `guardray state reset`",
        )


def bring_up(
    part: str,
    tables: Tables,
    found: int,
    *,
    wanted: int = STATE_VERSION,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> Tables:
    """The tables of a part as this program keeps them, from those of a version that `check_version` let pass."""
    for version in range(found, wanted):
        tables = migrations[version](part, tables)
    return tables
