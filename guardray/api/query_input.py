"""Questions of `/v1` from what was sent: criteria, order, page size and cursor."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from guardray.api.criteria import read_criteria
from guardray.api.errors import bad_request
from guardray.store.criteria import Criteria
from guardray.store.search import MAX_PAGE
from guardray.store.sorting import Place, Sort

_BOUNDS = {"gt": "greaterThan", "gte": "greaterThanOrEqual", "lt": "lessThan", "lte": "lessThanOrEqual"}
_TEXTS = {"": "equals", "eq": "equals", "neq": "notEquals", "matches": "matches", "not_matches": "notMatches"}
_NO_ATTRIBUTES = frozenset({"sort", "limit", "cursor", "group_by", "order"})
_SIGNATURE = "x-amz-"
_CURSOR_LENGTH = 4096

Texts = Mapping[str, list[str]]
"""The parameters of a query, each with its values."""


class SearchBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What `POST /v1/findings/search` takes.

    Attributes:
        criteria: FindingCriteria, as GuardDuty's ListFindings takes them; `matches` and `notMatches` as filters do.
        sort: an attribute, with `-` before it for the greatest first; null: the newest first.
        limit: findings of a page.
        cursor: of the page before.
    """

    criteria: dict[str, Any] | None = None
    sort: str | None = None
    limit: int | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class Question:
    """What is asked of findings."""

    criteria: Criteria
    sort: Sort
    page: CursorPage


class CursorPage:
    """Where a page begins and how large it is. A cursor is good for the question alone that it was given for.

    Args:
        question: all that the answer hangs on, as JSON can hold it.

    Raises:
        ApiError: the cursor is none of this question, or the size is out of range.
    """

    def __init__(self, question: Any, cursor: str | None, size: int | None, most: int = MAX_PAGE) -> None:
        encoded = msgspec.json.encode(question, order="deterministic")
        self._digest = hashlib.blake2b(encoded, digest_size=12).hexdigest()
        self.size = most if size is None else size
        if not 1 <= self.size <= most:
            raise bad_request(f"the parameter limit is not between 1 and {most}")
        self.after: Place | None = None if cursor is None else self._place(cursor)

    def cursor(self, place: Place | None) -> str | None:
        """The cursor for what comes after a place."""
        if place is None:
            return None
        return base64.urlsafe_b64encode(msgspec.json.encode([self._digest, place])).decode()

    def _place(self, cursor: str) -> Place:
        refused = bad_request("the parameter cursor is not a cursor of this question")
        try:
            text = base64.b64decode(cursor[:_CURSOR_LENGTH].encode(), b"-_", validate=True)
            digest, place = msgspec.json.decode(text, type=tuple[str, list[Any]])
        except (ValueError, RecursionError):
            raise refused from None
        if digest != self._digest:
            raise refused
        return place


def read_texts(query: str) -> Texts:
    """The parameters of a query, without those of a signature.

    Raises:
        ApiError: they cannot be read.
    """
    try:
        found = parse_qs(query, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise bad_request("its query cannot be read") from None
    return {name: texts for name, texts in found.items() if not name.lower().startswith(_SIGNATURE)}


def question_of_texts(texts: Texts) -> Question:
    """Such as `type=...&severity__gte=7&sort=-updatedAt`: an attribute is a parameter, with an operator after `__`.

    Raises:
        ApiError, QueryRefusedError: something in it cannot be asked.
    """
    body = SearchBody(
        criteria={"criterion": _criterion(texts)},
        sort=one_of(texts, "sort"),
        limit=number_of(texts, "limit"),
        cursor=one_of(texts, "cursor"),
    )
    return question_of(body)


def question_of_json(body: bytes) -> Question:
    """Of a `SearchBody`.

    Raises:
        ApiError, QueryRefusedError: it is none, or something in it cannot be asked.
    """
    try:
        return question_of(msgspec.json.decode(body or b"{}", type=SearchBody))
    except msgspec.ValidationError as error:
        raise bad_request(f"its body is wrong: {error}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise bad_request("its body is not JSON", "SerializationException") from None


def question_of(body: SearchBody) -> Question:
    """The question; raises as `question_of_json`."""
    page = CursorPage(["findings", body.criteria, body.sort], body.cursor, body.limit)
    return Question(read_criteria(body.criteria, wildcards=True), _sort(body.sort), page)


def criteria_of(texts: Texts) -> Criteria:
    """The criteria alone; raises as `question_of_texts`."""
    return read_criteria({"criterion": _criterion(texts)}, wildcards=True)


def one_of(texts: Texts, name: str, usual: str | None = None) -> str | None:
    """The value of a parameter, of several the last; the usual one where it is not given."""
    return texts[name][-1] if texts.get(name) else usual


def number_of(texts: Texts, name: str) -> int | None:
    """The whole number that a parameter gives. Raises ApiError where it is none."""
    text = one_of(texts, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise bad_request(f"the parameter {name} is not a whole number")
    return int(text)


def refuse_unknown(texts: Texts, known: Iterable[str]) -> None:
    """Raises ApiError where there is a parameter that does nothing."""
    for name in sorted(texts.keys() - set(known)):
        raise bad_request(f"there is no parameter {name[:100]!r}")


def _criterion(texts: Texts) -> dict[str, dict[str, Any]]:
    criterion: dict[str, dict[str, Any]] = {}
    for parameter, values in texts.items():
        attribute, _, operator = parameter.partition("__")
        if parameter in _NO_ATTRIBUTES:
            continue
        if operator in _TEXTS:
            criterion.setdefault(attribute, {}).setdefault(_TEXTS[operator], []).extend(values)
        elif operator in _BOUNDS:
            criterion.setdefault(attribute, {})[_BOUNDS[operator]] = _bound(parameter, values[-1])
        else:
            raise bad_request(f"the parameter {parameter[:100]!r} has an unknown operator")
    return criterion


def _bound(parameter: str, text: str) -> int:
    """A number, or a time in milliseconds."""
    try:
        if text.lstrip("-").isdigit():
            return int(text[:20])
        time = datetime.fromisoformat(text)
        return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise bad_request(f"the parameter {parameter[:100]!r} is neither a whole number nor a time") from None


def _sort(text: str | None) -> Sort:
    if not text:
        return Sort()
    order = "DESC" if text.startswith("-") else "ASC"
    return Sort.of({"attributeName": text.removeprefix("-"), "orderBy": order})
