"""What people do to findings: archive them, take them back, and say whether they were useful."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from guardray.errors import QueryRefusedError
from guardray.store.criteria_schema import FINDING_FEEDBACK
from guardray.store.indexing import Change, index_changed
from guardray.store.outbox_changes import note_changes
from guardray.store.schema import FINDINGS
from guardray.store.search import Scope, of_ids, require_few
from guardray.types import AccountId

FEEDBACK = ("USEFUL", "NOT_USEFUL")

_MARK = update(FINDINGS).where(FINDINGS.c.id == bindparam("marked"))


def archive(connection: Connection, scope: Scope, finding_ids: Sequence[str], now: datetime) -> int:
    """Archive findings, in the open transaction: what was due of them at destinations is due no more.

    Ids that the scope does not have, or that are archived, are left as they are. One that happens again is current
    again. `updatedAt` stays, as nothing happened to what the finding tells of.

    Returns:
        How many were current.

    Raises:
        QueryRefusedError: too many ids.
    """
    return _set_archived(connection, scope, finding_ids, True, now)


def unarchive(connection: Connection, scope: Scope, finding_ids: Sequence[str], now: datetime) -> int:
    """Make archived findings current, in the open transaction: destinations are told of them again.

    Returns:
        How many were archived.

    Raises:
        QueryRefusedError: too many ids.
    """
    return _set_archived(connection, scope, finding_ids, False, now)


def give_feedback(
    connection: Connection,
    scope: Scope,
    finding_ids: Sequence[str],
    feedback: str,
    *,
    comments: str | None,
    given_by: AccountId,
    now: datetime,
) -> int:
    """Note whether findings were useful, in the open transaction, in place of what was said of them before.

    Args:
        feedback: USEFUL or NOT_USEFUL; findings show it.
        comments: kept beside it; findings do not show them.

    Returns:
        Of how many; ids that the scope does not have are passed over.

    Raises:
        QueryRefusedError: too many ids, or another word.
    """
    require_few(finding_ids)
    if feedback not in FEEDBACK:
        raise QueryRefusedError("feedback", "is neither USEFUL nor NOT_USEFUL")
    ids = list(connection.scalars(select(FINDINGS.c.id).where(*of_ids(scope, finding_ids)).order_by(FINDINGS.c.id)))
    if ids:
        said = None if comments is None else comments.replace("\0", "�")
        row = {"feedback": feedback, "comments": said, "given_by": given_by, "given_at": now}
        connection.execute(delete(FINDING_FEEDBACK).where(FINDING_FEEDBACK.c.finding_id.in_(ids)))
        connection.execute(insert(FINDING_FEEDBACK), [row | {"finding_id": finding_id} for finding_id in ids])
        connection.execute(update(FINDINGS).where(FINDINGS.c.id.in_(ids)).values(user_feedback=feedback))
    return len(ids)


def _set_archived(
    connection: Connection, scope: Scope, finding_ids: Sequence[str], archived: bool, now: datetime
) -> int:
    require_few(finding_ids)
    others = select(FINDINGS).where(*of_ids(scope, finding_ids), FINDINGS.c.archived.is_(not archived))
    rows = connection.execute(others.order_by(FINDINGS.c.id)).mappings().all()
    if rows:
        changes = [(row["id"], _with_archived(row["json"], archived)) for row in rows]
        connection.execute(_MARK, [{"marked": of, "archived": archived, "json": json} for of, json in changes])
        index_changed(connection, [Change((row, None), ({**row, "archived": archived}, None)) for row in rows])
        note_changes(connection, [row["id"] for row in rows], now)
    return len(rows)


def _with_archived(text: str, archived: bool) -> str:
    finding: dict[str, Any] = msgspec.json.decode(text)
    finding["service"]["archived"] = archived
    return msgspec.json.encode(finding).decode()
