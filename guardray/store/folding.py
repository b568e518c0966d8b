"""Folding findings into those that are stored, a few statements for any number of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from guardray.findings.finding import Finding
from guardray.findings.sighting import Occurrence
from guardray.findings.wire import to_json
from guardray.store.api_suppression import Suppression
from guardray.store.bulk import insert_rows, update_rows
from guardray.store.indexing import Change, index_changed, index_new
from guardray.store.rows import EVIDENCE_COLUMNS, evidence_row, finding_columns, finding_of_json, finding_row
from guardray.store.schema import EVIDENCE, FINDINGS

_IDS_A_QUERY = 500
_DELETE_EVIDENCE = delete(EVIDENCE).where(
    EVIDENCE.c.finding_id == bindparam("of"),
    EVIDENCE.c.time == bindparam("at"),
    EVIDENCE.c.digest == bindparam("by"),
)


def fold(connection: Connection, findings: Iterable[Finding]) -> tuple[int, int]:
    """Merge findings into the store, in the open transaction. Returns how many were new, and how many known."""
    incoming = merged(findings)
    known = known_findings(connection, list(incoming))
    write_new(connection, [finding for finding in incoming.values() if finding.id not in known])
    write_changed(connection, [(stored, stored.merge(incoming[stored.id])) for stored in known.values()])
    return len(incoming) - len(known), len(known)


def merged(findings: Iterable[Finding]) -> dict[str, Finding]:
    """By id, those of one id as one."""
    by_id: dict[str, Finding] = {}
    for finding in findings:
        earlier = by_id.get(finding.id)
        by_id[finding.id] = finding if earlier is None else earlier.merge(finding)
    return by_id


def known_findings(connection: Connection, incoming: Sequence[str]) -> dict[str, Finding]:
    """The stored findings of these ids. Their evidence has times and digests but no rows: those stay in the store."""
    known: dict[str, Finding] = {}
    for ids in chunks(incoming):
        evidence = _evidence_keys(connection, ids)
        for text in connection.scalars(select(FINDINGS.c.json).where(FINDINGS.c.id.in_(ids))):
            finding = finding_of_json(text)
            known[finding.id] = replace(finding, evidence=tuple(sorted(evidence[finding.id])))
    return known


def _evidence_keys(connection: Connection, ids: Sequence[str]) -> dict[str, list[Occurrence]]:
    columns = EVIDENCE.c
    query = select(columns.finding_id, columns.time, columns.digest).where(columns.finding_id.in_(ids))
    keys: dict[str, list[Occurrence]] = {finding_id: [] for finding_id in ids}
    for row in connection.execute(query):
        keys[row.finding_id].append(Occurrence(row.time, row.digest, {}))
    return keys


def write_new(connection: Connection, findings: Sequence[Finding]) -> None:
    """Write findings that the store does not have; those that a suppression rule is for, as archived."""
    if not findings:
        return
    written = Suppression.read(connection).applied(findings)
    texts = [to_json(finding) for finding in written]
    rows = [finding_row(*each) for each in zip(written, texts, strict=True)]
    insert_rows(connection, FINDINGS, tuple(rows[0]), [tuple(row.values()) for row in rows])
    index_new(connection, list(zip(rows, texts, strict=True)))
    _insert_evidence(connection, [(finding.id, row) for finding in written for row in finding.evidence])


def write_changed(connection: Connection, changes: Sequence[tuple[Finding, Finding]]) -> None:
    """Write findings as they are now; each comes after what the store has of it, as `known_findings` gives it.

    Those that a suppression rule is for are written as archived.
    """
    if not changes:
        return
    written = Suppression.read(connection).applied(new for _, new in changes)
    texts = [to_json(finding) for finding in written]
    rows = [finding_row(*each) for each in zip(written, texts, strict=True)]
    columns = tuple(name for name in rows[0] if name != "id")
    update_rows(connection, FINDINGS, "id", columns, [(*(row[name] for name in columns), row["id"]) for row in rows])
    index_changed(
        connection,
        [_change(old, new, row, text) for (old, _), new, row, text in zip(changes, written, rows, texts, strict=True)],
    )
    dropped = [(old.id, row) for old, new in changes for row in set(old.evidence) - set(new.evidence)]
    if dropped:
        connection.execute(_DELETE_EVIDENCE, [{"of": of, "at": row.time, "by": row.digest} for of, row in dropped])
    _insert_evidence(
        connection, [(new.id, row) for old, new in changes for row in new.evidence if row not in old.evidence]
    )


def _change(old: Finding, new: Finding, row: dict[str, Any], text: dict[str, Any]) -> Change:
    same = _telling(old) == _telling(new)
    return Change((finding_columns(old), None if same else to_json(old)), (row, None if same else text))


def _telling(finding: Finding) -> tuple[object, ...]:
    """The parts that values are of: most changes leave them as they are."""
    return finding.resource, finding.action, finding.additional_info, finding.threat_intelligence


def _insert_evidence(connection: Connection, rows: Sequence[tuple[str, Occurrence]]) -> None:
    insert_rows(connection, EVIDENCE, EVIDENCE_COLUMNS, [evidence_row(*each) for each in rows])


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids in parts: databases bound the number of parameters of one statement."""
    for start in range(0, len(ids), _IDS_A_QUERY):
        yield ids[start : start + _IDS_A_QUERY]
