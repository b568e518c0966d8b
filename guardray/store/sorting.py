"""What findings can be sorted by, in either database, and places in an order to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    String,
    Tuple,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)

from guardray.errors import QueryRefusedError
from guardray.findings.wire import time_of
from guardray.store.criteria.attributes import COLUMNS, known_attribute
from guardray.store.criteria.evaluation import values_at
from guardray.store.index_schema import FINDING_INDEX
from guardray.store.schema import FINDINGS

_API_CALL = "service.action.awsApiCallAction"
_CONNECTION = "service.action.networkConnectionAction"

SortKind = Literal["text", "number", "time", "truth"]

SORTABLE: dict[str, SortKind] = {
    "accountId": "text",
    "type": "text",
    "severity": "number",
    "confidence": "number",
    "createdAt": "time",
    "updatedAt": "time",
    "service.count": "number",
    "service.eventFirstSeen": "time",
    "service.eventLastSeen": "time",
    "resource.instanceDetails.instanceId": "text",
    f"{_API_CALL}.api": "text",
    f"{_API_CALL}.serviceName": "text",
    f"{_CONNECTION}.blocked": "truth",
    f"{_CONNECTION}.protocol": "text",
    f"{_CONNECTION}.localPortDetails.port": "number",
    f"{_CONNECTION}.remotePortDetails.port": "number",
    f"{_CONNECTION}.remoteIpDetails.ipAddressV4": "text",
    f"{_CONNECTION}.remoteIpDetails.country.countryName": "text",
}
"""The attributes that GuardDuty documents for sorting. No list is on the way to any of them."""

_MOST = 1 << 63
_ABSENT = -1.0
"""Before all numbers that these attributes have. An absent text is before all others too, as the empty one."""

Place = list[Any]
"""Value and number of a finding, as JSON can hold them."""


@dataclass(frozen=True)
class Sort:
    """An order of findings: by one attribute, those with the same value as they came, in the same direction."""

    attribute: str = "createdAt"
    descending: bool = True

    @staticmethod
    def of(criteria: Mapping[str, Any] | None) -> Sort:
        """The order that SortCriteria ask for, on the wire or as boto3 spells them; the newest first without any.

        Newest is by when a finding was made, which never changes: no page misses one or has it twice.

        Raises:
            QueryRefusedError: nothing can be sorted so.
        """
        given = {name[:1].lower() + name[1:]: value for name, value in (criteria or {}).items() if value is not None}
        if "attributeName" not in given:
            return Sort(descending=_descending(given.get("orderBy", "DESC")))
        attribute = known_attribute(given["attributeName"], "sortCriteria")
        if attribute not in SORTABLE:
            raise QueryRefusedError("sortCriteria", f"names {attribute!r}, by which findings cannot be sorted")
        return Sort(attribute, _descending(given.get("orderBy", "ASC")))

    def value_of(self, finding: Mapping[str, Any]) -> Any:
        """What a finding in GuardDuty's JSON is sorted by."""
        value: Any = next(values_at(finding, self.attribute), None)
        match SORTABLE[self.attribute]:
            case "time":
                return time_of(value)
            case "text":
                return "" if value is None else str(value)
            case _:
                return _ABSENT if value is None else float(value)

    def place(self, value: Any, number: int) -> Place:
        """Where a finding stands, for `after`."""
        return [value.isoformat() if isinstance(value, datetime) else value, number]  # to the microsecond, as rows are

    def expression(self, connection: Connection) -> ColumnElement[Any]:
        """The value of a row of `finding_index`, never null."""
        if self.attribute in COLUMNS:
            return FINDING_INDEX.c[COLUMNS[self.attribute][0]]
        value = _json_expression(connection, self.attribute, SORTABLE[self.attribute])
        finding = select(value).where(FINDINGS.c.id == FINDING_INDEX.c.finding_id)
        return finding.correlate(FINDING_INDEX).scalar_subquery()

    def after(self, value: ColumnElement[Any], place: Place) -> ColumnElement[bool]:
        """Rows that come after a place.

        Raises:
            QueryRefusedError: the place is of another order.
        """
        given, number = self._checked(place)
        here, there = self._places(value, given, number)
        return here < there if self.descending else here > there

    def up_to(self, value: ColumnElement[Any], given: Any, number: int) -> ColumnElement[bool]:
        """Rows that come before a place or stand at it. `given` is as a row has it, not as a Place has."""
        here, there = self._places(value, given, number)
        return here >= there if self.descending else here <= there

    def _places(self, value: ColumnElement[Any], given: Any, number: int) -> tuple[Tuple, Tuple]:
        """As rows, which both databases compare by an index of the two: among equal values, too."""
        return tuple_(value, FINDING_INDEX.c.number), tuple_(literal(given, value.type), literal(number))

    def _checked(self, place: Place) -> tuple[Any, int]:
        try:
            given, number = place
            if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < _MOST:
                raise ValueError(number)
            return self._value(given), number
        except (ValueError, TypeError):
            raise QueryRefusedError("nextToken", "is not a token of this request") from None

    def _value(self, given: Any) -> Any:
        match SORTABLE[self.attribute]:
            case "time":
                return time_of(given)
            case "text" if isinstance(given, str) and "\0" not in given:
                return given
            case "number" | "truth":
                return float(given)
        raise ValueError(given)


def _descending(order: Any) -> bool:
    if order not in ("ASC", "DESC"):
        raise QueryRefusedError("sortCriteria", "has an orderBy that is neither ASC nor DESC")
    return bool(order == "DESC")


def _json_expression(connection: Connection, attribute: str, kind: SortKind) -> ColumnElement[Any]:
    segments = attribute.split(".")  # of SORTABLE: nothing that a caller wrote
    if connection.dialect.name == "sqlite":
        value = func.json_extract(FINDINGS.c.json, "$" + "".join(f'."{segment}"' for segment in segments))
        return func.coalesce(cast(value, String if kind == "text" else Float), "" if kind == "text" else _ABSENT)
    keys = ", ".join(f"'{segment}'" for segment in segments)
    json = r"CAST(replace(findings.json, '\u0000', '\ufffd') AS jsonb)"
    shown: ColumnElement[str] = literal_column(f"jsonb_extract_path_text({json}, {keys})", String)
    if kind == "text":
        return func.coalesce(shown, "")
    number = case({"true": 1.0, "false": 0.0}, value=shown) if kind == "truth" else cast(shown, Float)
    return func.coalesce(number, _ABSENT)
