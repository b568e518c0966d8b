"""`/v1`: findings, timelines, statistics and detectors for people, notebooks and scripts, as plain JSON.

Whose findings somebody sees follows from the key alone: those of its account and of the account's members, in the
Regions that the key is good for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from guardray.access.gate import Gate
from guardray.access.permissions import QUERY
from guardray.access.request import Request
from guardray.api import query_input
from guardray.api.errors import bad_request, not_found
from guardray.api.explanation import Explainer
from guardray.api.inputs import MAX_BODY_BYTES
from guardray.api.openapi import document
from guardray.api.plain import endpoint, json_answer, request_of
from guardray.api.query_answers import (
    Detectors,
    EvidenceRow,
    FindingAnswer,
    Findings,
    GroupCount,
    Statistics,
    Timeline,
)
from guardray.api.query_input import CursorPage, Question, Texts
from guardray.errors import QueryRefusedError
from guardray.store.database import Database
from guardray.store.findings import evidence_of
from guardray.store.reach import Reach
from guardray.store.search import find_page, findings_by_id
from guardray.store.statistics import DEFAULT_GROUPS, OrderBy, count_by_group
from guardray.store.statistics_plan import GroupBy
from guardray.store.timeline import MAX_EVENTS, timeline

_OWN_NAMES = {"findingCriteria": "criteria", "sortCriteria": "sort", "nextToken": "cursor", "maxResults": "limit"}
"""Members of GuardDuty's requests, and what `/v1` calls them."""


@dataclass(frozen=True)
class Asked:
    """A request of a known caller.

    Attributes:
        path: the parts of the path that are parameters.
    """

    connection: Connection = field(repr=False)
    reach: Reach
    path: Mapping[str, str]
    texts: Texts
    body: bytes = field(repr=False)


Answer = Callable[[Asked], Any]


def add_queries(router: APIRouter, database: Database, gate: Gate, explainer: Explainer) -> None:
    """Add all routes."""

    def one_finding(asked: Asked) -> FindingAnswer:
        return _one_finding(asked, explainer)

    answers: dict[tuple[str, str], Answer] = {
        ("GET", "/v1/findings"): _by_texts,
        ("POST", "/v1/findings/search"): _by_body,
        ("GET", "/v1/findings/{id}"): one_finding,
        ("GET", "/v1/statistics"): _statistics,
        ("GET", "/v1/entities/{kind}/{value:path}/timeline"): _timeline,
        ("GET", "/v1/detectors"): lambda asked: Detectors(explainer.entries()),
        ("GET", "/v1/openapi.json"): lambda asked: document(),
    }
    for (method, path), answer in answers.items():
        route = endpoint(_handler(database, gate, answer))
        router.add_api_route(path, route, methods=[method], response_model=None)


def _handler(database: Database, gate: Gate, answer: Answer) -> Callable[[WebRequest, str], Any]:
    async def handle(web: WebRequest, request_id: str) -> WebResponse:
        body = await _body(web)
        request = request_of(web, request_id, body)
        return await run_in_threadpool(_answered, database, gate, answer, request, dict(web.path_params))

    return handle


def _answered(database: Database, gate: Gate, answer: Answer, request: Request, path: Mapping[str, str]) -> WebResponse:
    holder = gate.plain(request, QUERY)
    texts = query_input.read_texts(request.query)
    try:
        with database.reading() as connection:
            reach = Reach.of(connection, holder.account_id, holder.regions)
            return json_answer(answer(Asked(connection, reach, path, texts, request.body)))
    except QueryRefusedError as error:
        name = _OWN_NAMES.get(error.parameter, error.parameter)
        raise bad_request(f"the parameter {name} {error.reason}") from error


async def _body(web: WebRequest) -> bytes:
    body = bytearray()
    async for part in web.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise bad_request(f"its body has more than {MAX_BODY_BYTES:,} bytes")
    return bytes(body)


def _by_texts(asked: Asked) -> Findings:
    return _found(asked, query_input.question_of_texts(asked.texts))


def _by_body(asked: Asked) -> Findings:
    query_input.refuse_unknown(asked.texts, ())
    return _found(asked, query_input.question_of_json(asked.body))


def _found(asked: Asked, question: Question) -> Findings:
    found = question.page
    page = find_page(
        asked.connection, asked.reach, question.criteria, question.sort, after=found.after, size=found.size
    )
    findings = findings_by_id(asked.connection, asked.reach, page.ids)
    return Findings(findings, found.cursor(page.next_after))


def _one_finding(asked: Asked, explainer: Explainer) -> FindingAnswer:
    query_input.refuse_unknown(asked.texts, ())
    found = findings_by_id(asked.connection, asked.reach, [asked.path["id"]])
    if not found:
        raise not_found("there is no such finding")
    rows = [EvidenceRow(one.time, one.row) for one in evidence_of(asked.connection, found[0]["id"])]
    return FindingAnswer(found[0], rows, explainer.explain(found[0]))


def _statistics(asked: Asked) -> Statistics:
    texts = asked.texts
    most = query_input.number_of(texts, "limit")
    groups = count_by_group(
        asked.connection,
        asked.reach,
        cast(GroupBy, query_input.one_of(texts, "group_by", "SEVERITY")),
        query_input.criteria_of(texts),
        order_by=cast(OrderBy, query_input.one_of(texts, "order", "DESC")),
        most=DEFAULT_GROUPS if most is None else most,
    )
    return Statistics([GroupCount(**asdict(group)) for group in groups])


def _timeline(asked: Asked) -> Timeline:
    texts, kind, value = asked.texts, asked.path["kind"], asked.path["value"]
    query_input.refuse_unknown(texts, ("limit", "cursor"))
    page = CursorPage(
        ["timeline", kind, value],
        query_input.one_of(texts, "cursor"),
        query_input.number_of(texts, "limit"),
        MAX_EVENTS,
    )
    events, after = timeline(asked.connection, asked.reach, kind, value, after=page.after, size=page.size)
    return Timeline(kind, value, events, page.cursor(after))
