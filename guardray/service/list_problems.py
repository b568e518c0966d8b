"""Lists of the API that cannot be used, among the problems of the service: nothing is found by them."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from guardray.service.status import KnownProblem, ServiceStatus
from guardray.store.api_resources import failed

_UNKNOWN = "its reason was not kept"


def with_list_problems(status: ServiceStatus, connection: Connection) -> ServiceStatus:
    """The status, which tells of them too: keepers of lists are no part of the coordinator, who writes it."""
    return replace(status, problems=(*status.problems, *list_problems(connection)))


def list_problems(connection: Connection) -> tuple[KnownProblem, ...]:
    """One for each list that could not be read."""
    return tuple(
        KnownProblem(
            text=f"{one.kind} {one.name!r} of {one.account_id} in {one.region} is not in use:"
            f" {one.content.get('ErrorDetails', _UNKNOWN)}",
            count=1,
            since=one.updated_at,
        )
        for one in failed(connection)
    )
