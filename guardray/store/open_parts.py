"""Findings that are told of before they are complete: what is open is shown with what is final, and can be replaced.

A finding with an open part is stored twice. `findings` shows all of it, as everybody reads it. `open_parts` keeps what
is final of it, so that the open part can be taken back and come again, larger or decided otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, select

from guardray.findings.finding import Finding
from guardray.findings.sighting import Occurrence
from guardray.store.folding import chunks, known_findings, merged, write_changed, write_new
from guardray.store.indexing import delete_findings
from guardray.store.outbox_changes import note_changes
from guardray.store.rows import encode_row, finding_of_json, finding_row, occurrence_of_row
from guardray.store.schema import EVIDENCE, FINDINGS
from guardray.store.service_schema import OPEN_PARTS


class _Evidence(msgspec.Struct):
    """One row of what is final, as `open_parts` keeps it."""

    time: datetime
    digest: int
    row: msgspec.Raw


def fold_open(
    connection: Connection,
    final: Iterable[Finding],
    opened: Iterable[Finding],
    open_ids: Collection[str],
    now: datetime,
) -> tuple[int, int]:
    """Fold findings into the store, in the open transaction. Returns how many were new, and how many changed.

    The outbox of each destination is told of them. One whose open part has ended without a final one is taken back.

    Args:
        final: to be counted, each once.
        opened: whole open parts, of the findings where that has changed or that are among the final ones.
        open_ids: of all findings that have an open part; the parts of the others end.
        now: when this is done.
    """
    settled, parts = merged(final), merged(opened)
    ids = dict.fromkeys([*settled, *parts, *sorted(open_findings(connection).difference(open_ids))])
    bases = _bases(connection, list(ids))
    shown = known_findings(connection, list(ids))
    fresh = [one for one in ids if one in shown and one not in bases]
    bases |= _with_rows(connection, {one: shown[one] for one in fresh})
    complete = {one: _joined(bases.get(one), settled.get(one)) for one in ids}
    wanted = {one: _joined(complete[one], parts.get(one)) for one in ids}
    new = [_first(one, now) for id_, one in wanted.items() if one is not None and id_ not in shown]
    changed = [
        (shown[id_], _again(shown[id_], one, now))
        for id_, one in wanted.items()
        if one is not None and id_ in shown and not _is_same(shown[id_], one)
    ]
    write_new(connection, new)
    write_changed(connection, changed)
    _keep_complete(connection, {one: complete[one] for one in parts}, ids)
    _take_back(connection, [id_ for id_, one in wanted.items() if one is None and id_ in shown])
    note_changes(connection, sorted([*(one.id for one in new), *(one.id for _, one in changed)]), now)
    return len(new), len(changed)


def open_findings(connection: Connection) -> set[str]:
    """The ids of all findings that are shown with an open part."""
    return set(connection.scalars(select(OPEN_PARTS.c.finding_id)))


def close_all(connection: Connection) -> None:
    """Take all that is shown for final, since what it was made of is not known any more."""
    connection.execute(delete(OPEN_PARTS))


def _joined(one: Finding | None, other: Finding | None) -> Finding | None:
    return other if one is None else one if other is None else one.merge(other)


def _first(finding: Finding, now: datetime) -> Finding:
    return replace(finding, created_at=now, updated_at=now)


def _again(shown: Finding, finding: Finding, now: datetime) -> Finding:
    """It keeps its beginning, and stays archived unless it has happened again."""
    archived = finding.archived or (shown.archived and finding.count <= shown.count)
    return replace(finding, created_at=shown.created_at, updated_at=now, archived=archived)


def _is_same(shown: Finding, finding: Finding) -> bool:
    unchanged = replace(
        finding, created_at=shown.created_at, updated_at=shown.updated_at, archived=shown.archived, evidence=()
    )
    return unchanged == replace(shown, evidence=()) and shown.evidence == finding.evidence


def _bases(connection: Connection, ids: Sequence[str]) -> dict[str, Finding | None]:
    """What is final of each of these findings that has an open part; None where nothing is.

    Of these alone: thousands may be open for days of which a few change in an epoch.
    """
    queries = (select(OPEN_PARTS).where(OPEN_PARTS.c.finding_id.in_(some)) for some in chunks(ids))
    rows = (row for query in queries for row in connection.execute(query))
    return {row.finding_id: _base(row.json, row.evidence) for row in rows}


def _base(json: str | None, evidence: str) -> Finding | None:
    if json is None:
        return None
    rows = msgspec.json.decode(evidence, type=list[_Evidence])
    occurrences = (Occurrence(one.time, one.digest, msgspec.json.decode(one.row)) for one in rows)
    return replace(finding_of_json(json), evidence=tuple(occurrences))


def _with_rows(connection: Connection, findings: Mapping[str, Finding]) -> dict[str, Finding | None]:
    """These findings with the rows of their evidence."""
    rows: dict[str, list[Occurrence]] = {one: [] for one in findings}
    for ids in chunks(list(findings)):
        for row in connection.execute(select(EVIDENCE).where(EVIDENCE.c.finding_id.in_(ids))).mappings():
            rows[row["finding_id"]].append(occurrence_of_row(row))
    return {one: replace(finding, evidence=tuple(sorted(rows[one]))) for one, finding in findings.items()}


def _keep_complete(connection: Connection, complete: Mapping[str, Finding | None], ids: Collection[str]) -> None:
    """Write down what is final of those that have an open part, and of these ids nothing else."""
    for some in chunks(list(ids)):
        connection.execute(delete(OPEN_PARTS).where(OPEN_PARTS.c.finding_id.in_(some)))
    if complete:
        connection.execute(insert(OPEN_PARTS), [_row(one, finding) for one, finding in complete.items()])


def _row(finding_id: str, finding: Finding | None) -> dict[str, str | None]:
    if finding is None:
        return {"finding_id": finding_id, "json": None, "evidence": "[]"}
    rows = [_Evidence(one.time, one.digest, msgspec.Raw(encode_row(one.row).encode())) for one in finding.evidence]
    return {
        "finding_id": finding_id,
        "json": finding_row(finding)["json"],
        "evidence": msgspec.json.encode(rows).decode(),
    }


def _take_back(connection: Connection, ids: list[str]) -> None:
    for some in chunks(ids):
        delete_findings(connection, FINDINGS.c.id.in_(some))
