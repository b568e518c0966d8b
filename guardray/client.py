"""A client of the service in Python: what was found, as pandas frames.

    client = guardray.Client("https://guardray.example.com:8000", token)
    client.findings({"severity": {"gte": 7}}, sort="-updatedAt")

It needs pandas (`pip install guardray[client]`) and no more of guardray than this module.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from guardray.errors import GuardrayError

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, Any]
Criterion = Mapping[str, Mapping[str, Any]]
"""Attributes of a finding with an operator and its operand: `{"type": {"eq": ["..."]}, "severity": {"gte": 7}}`."""

PAGE, EVENTS_PAGE = 50, 500
"""The most that the service gives at once."""

_COLUMNS = {
    "id": ("id",),
    "type": ("type",),
    "severity": ("severity",),
    "title": ("title",),
    "account_id": ("accountId",),
    "region": ("region",),
    "resource_type": ("resource", "resourceType"),
    "count": ("service", "count"),
    "first_seen": ("service", "eventFirstSeen"),
    "last_seen": ("service", "eventLastSeen"),
    "created_at": ("createdAt",),
    "updated_at": ("updatedAt",),
    "archived": ("service", "archived"),
}
_EVENT_COLUMNS = ("begin", "end", "id", "type", "severity", "count", "title", "account_id", "region", "archived")
_SOURCE_COLUMNS = ("name", "backlog", "oldest_s", "problems")
_LAG_COLUMNS = ("name", "backlog", "oldest_s", "watermark", "told_at")
_TIMES = (
    "watermark",
    "told_at",
    "first_seen",
    "last_seen",
    "created_at",
    "updated_at",
    "begin",
    "end",
    "time",
    "last_generated_at",
)
_OPERATORS = {
    "equals": "eq",
    "notequals": "neq",
    "greaterthan": "gt",
    "greaterthanorequal": "gte",
    "lessthan": "lt",
    "lessthanorequal": "lte",
    "notmatches": "not_matches",
}


class ClientError(GuardrayError):
    """The service refused a request, or did not answer it: look at the message.

    Attributes:
        status: of HTTP; 0 where there was no answer.
        code: what kind of refusal it is, such as `InvalidInputException`; empty where there was no answer.
    """

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message, status, code)
        self.message, self.status, self.code = message, status, code

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class FindingInFull:
    """One finding.

    Attributes:
        finding: GuardDuty's JSON.
        evidence: its earliest rows and the latest, with their `time` and the columns of their log.
        explanation: what its type means; null where the service does not know the type any more.
    """

    finding: Json
    evidence: pd.DataFrame = field(repr=False)
    explanation: Json | None = field(repr=False)


class Client:
    """Asks a service. Every method raises ClientError where it refuses or does not answer.

    Args:
        endpoint: of its API, such as `http://127.0.0.1:8000`.
        token: a token of `guardray keys create --token`; it decides whose findings there are to see.
        timeout_s: to wait for each answer.
        ca_file: certificates to trust instead of the system's.

    Raises:
        ClientError: the endpoint is none.
    """

    def __init__(self, endpoint: str, token: str, *, timeout_s: float = 30.0, ca_file: Path | None = None) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ClientError(f"{endpoint!r} is no endpoint: it begins with http:// or https:// and names a host")
        self._endpoint = endpoint.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._timeout_s = timeout_s
        trusted = ssl.create_default_context(cafile=ca_file)
        self._opener = build_opener(HTTPSHandler(context=trusted), _NoRedirects())

    def findings(
        self, criterion: Criterion | None = None, *, sort: str | None = None, most: int = 1000
    ) -> pd.DataFrame:
        """Findings by criteria, one a row.

        Args:
            criterion: as in GuardDuty's FindingCriteria; null: all.
            sort: an attribute such as `severity`; with `-` before it, the greatest come first. Null: the newest first.
            most: rows to get at most.

        Returns:
            Columns `id`, `type`, `severity`, `title`, `account_id`, `region`, `resource_type`, `count`, `first_seen`,
            `last_seen`, `created_at`, `updated_at` (UTC), `archived`, and `finding`, which is GuardDuty's JSON.
        """
        question = {"criteria": {"criterion": dict(criterion or {})}, "sort": sort}
        found: list[Json] = []
        for page in self._searched(question, most):
            found += page
        rows = [{name: _at(one, path) for name, path in _COLUMNS.items()} | {"finding": one} for one in found]
        return _frame(rows, [*_COLUMNS, "finding"])

    def finding(self, finding_id: str) -> FindingInFull:
        """One finding with its evidence and its explanation."""
        found = self._get(f"/v1/findings/{quote(finding_id, safe='')}")
        rows = [{**one["row"], "time": one["time"]} for one in found["evidence"]]
        return FindingInFull(found["finding"], _frame(rows, ["time"]), found["explanation"])

    def timeline(self, kind: str, value: str, *, most: int = 1000) -> pd.DataFrame:
        """What was found of one thing, those first that began first.

        Args:
            kind: `instance`, `bucket`, `user`, `principal`, `access-key`, `address` or `domain`.

        Returns:
            Columns `begin`, `end` (UTC), `id`, `type`, `severity`, `count`, `title`, `account_id`, `region` and
            `archived`.
        """
        path = f"/v1/entities/{quote(kind, safe='')}/{quote(value, safe='')}/timeline"
        events: list[Json] = []
        cursor: str | None = ""
        while cursor is not None and len(events) < most:
            asked = {"limit": min(EVENTS_PAGE, most - len(events))} | ({"cursor": cursor} if cursor else {})
            answer = self._get(path, asked)
            events += answer["events"]
            cursor = answer["cursor"]
        return _frame(events, list(_EVENT_COLUMNS))

    def statistics(
        self, group_by: str = "SEVERITY", criterion: Criterion | None = None, *, most: int = 100
    ) -> pd.DataFrame:
        """How many findings there are: by `ACCOUNT`, `DATE`, `FINDING_TYPE`, `RESOURCE` or `SEVERITY`.

        Returns:
            Columns `total`, `last_generated_at` (UTC), and those of what the findings of a row have in common.
        """
        groups = self._get("/v1/statistics", {"group_by": group_by, "limit": most, **_as_query(criterion or {})})
        return _frame(groups["groups"], ["total", "last_generated_at"])

    def detectors(self) -> pd.DataFrame:
        """What findings there can be, with what each needs and whether it has that, one type a row."""
        return _frame(self._get("/v1/detectors")["detectors"], ["type"])

    def sources(self) -> pd.DataFrame:
        """Where logs come from, and how much of each waits: `name`, `backlog`, `oldest_s` and `problems`."""
        return _frame(self._get("/v1/sources")["sources"], list(_SOURCE_COLUMNS))

    def lag(self) -> pd.DataFrame:
        """How far behind each source is.

        Returns:
            Columns `name`, `backlog` (objects), `oldest_s` (how long the oldest of them waits, in seconds; empty where
            none does), `watermark` (UTC: the time before which no event is waited for) and `told_at`.
        """
        answer = self._get("/v1/sources")
        common = {"watermark": answer["watermark"], "told_at": answer["told_at"]}
        rows = [{name: one[name] for name in _LAG_COLUMNS[:3]} | common for one in answer["sources"]]
        return _frame(rows, list(_LAG_COLUMNS))

    def models(self) -> pd.DataFrame:
        """All versions of models, one a row, with `in_force` and what the card of each tells; empty while none is."""
        rows = [{**one["card"], "in_force": one["in_force"]} for one in self._get("/v1/models")["models"]]
        return _frame(rows, ["family", "version", "in_force"])

    def pools(self) -> pd.DataFrame:
        """The actors that models run in: `name`, `replicas`, `wanted`, `waiting`; empty while no model is in force."""
        return _frame(self._get("/v1/pools")["pools"], ["name", "replicas", "wanted", "waiting"])

    def status(self) -> Json:
        """How the service stands, in its own words."""
        return self._get("/v1/status")

    def _searched(self, question: Json, most: int) -> Iterator[list[Json]]:
        cursor, left = None, most
        while left > 0:
            body = {**question, "limit": min(PAGE, left), "cursor": cursor}
            answer = self._answer("/v1/findings/search", json.dumps(body).encode())
            yield answer["findings"]
            cursor, left = answer["cursor"], left - len(answer["findings"])
            if cursor is None:
                return

    def _get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Json:
        query = f"?{urlencode(parameters, doseq=True)}" if parameters else ""
        return self._answer(path + query)

    def _answer(self, path: str, body: bytes | None = None) -> Json:
        request = Request(self._endpoint + path, data=body, headers=self._headers)
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                answer: Json = json.load(response)
                return answer
        except HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (URLError, TimeoutError, ConnectionError) as error:
            raise ClientError(f"{self._endpoint} does not answer: {getattr(error, 'reason', error)}") from error
        except ValueError as error:
            raise ClientError(f"{self._endpoint} does not answer as guardray does: {error}") from error


class _NoRedirects(HTTPRedirectHandler):
    """The token is for the endpoint alone, wherever that may point."""

    def redirect_request(self, *args: Any) -> None:
        return None


def _refusal(error: HTTPError) -> ClientError:
    try:
        told = json.load(error)
        return ClientError(told["message"], error.code, told.get("__type", ""))
    except (ValueError, KeyError, TypeError):
        return ClientError(f"the answer is {error.code} {error.reason}", error.code)


def _as_query(criterion: Criterion) -> Json:
    """Criteria as parameters: `severity__gte=7`."""
    return {
        f"{attribute}__{_OPERATORS.get(operator.lower(), operator)}": operand
        for attribute, operators in criterion.items()
        for operator, operand in operators.items()
    }


def _at(finding: Json, path: tuple[str, ...]) -> Any:
    value: Any = finding
    for name in path:
        value = value[name]
    return value


def _frame(rows: list[Json], columns: list[str]) -> pd.DataFrame:
    """The rows as a frame with these columns at least, and its times as times."""
    import pandas as pd  # takes long to import, and only those need it who ask

    frame = pd.DataFrame(rows, columns=None if rows else columns)
    for name in set(_TIMES) & set(frame.columns):
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
    return frame
