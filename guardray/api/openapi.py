"""The OpenAPI description of `/v1`: schemas of bodies and answers are those of the types that are read and written."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import msgspec

from guardray import __version__
from guardray.api.query_answers import Detectors, FindingAnswer, Findings, Statistics, Timeline
from guardray.api.query_input import SearchBody
from guardray.api.service_answers import Models, Pools, Sources, Status
from guardray.store.search import MAX_PAGE
from guardray.store.statistics import MAX_GROUPS
from guardray.store.statistics_plan import GroupBy
from guardray.store.timeline import ENTITIES, MAX_EVENTS

Json = dict[str, Any]


class Refusal(msgspec.Struct):
    """Why a request is refused: the sentence, and what kind of reason it is."""

    message: str
    type: str


_OF_OPERATORS: dict[str, tuple[str, Any]] = {
    "/v1/status": ("How the service stands", Status),
    "/v1/sources": ("Where logs come from, and how much of each waits", Sources),
    "/v1/pools": ("The actors that models run in", Pools),
    "/v1/models": ("Versions of models, and which of them are in force", Models),
}
_TYPES = (
    *(Findings, FindingAnswer, Timeline, Statistics, Detectors, SearchBody, Refusal),
    *(answer for _, answer in _OF_OPERATORS.values()),
)
_REFUSED = {400: "it cannot be read or asked", 401: "no good token", 403: "no good signature, or not for this role"}


@cache
def document() -> Json:
    """The whole description, in OpenAPI 3.1."""
    schemas, components = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    of = dict(zip(_TYPES, schemas, strict=True))
    described = {
        "openapi": "3.1.0",
        "info": {"title": "GuardRay", "version": __version__, "description": "Findings, for people and notebooks."},
        "security": [{"token": []}],
        "paths": {
            "/v1/findings": {"get": _operation("Findings by criteria", of[Findings], of, _criteria(MAX_PAGE, True))},
            "/v1/findings/search": {"post": _search(of)},
            "/v1/findings/{id}": {
                "get": _operation("A finding, its evidence and its explanation", of[FindingAnswer], of, [_path("id")])
            },
            "/v1/statistics": {"get": _operation("How many findings there are", of[Statistics], of, _grouping())},
            "/v1/entities/{kind}/{value}/timeline": {
                "get": _operation("What was found of one thing, in time", of[Timeline], of, _of_timeline())
            },
            "/v1/detectors": {"get": _operation("What findings there can be", of[Detectors], of, [])},
            **{path: {"get": _of_operators(path, of)} for path in _OF_OPERATORS},
        },
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "guardray keys create"}},
        },
    }
    # Defaults of the types are values of Python, tuples among them; the document is of JSON alone.
    told: Json = msgspec.json.decode(msgspec.json.encode(described))
    return told


def _operation(summary: str, answer: Json, of: dict[Any, Json], parameters: list[Json]) -> Json:
    refused = {
        str(status): {"description": f"Refused: {why}", "content": _content(of[Refusal])}
        for status, why in (_REFUSED | ({404: "there is none"} if "A finding," in summary else {})).items()
    }
    found = {"200": {"description": summary, "content": _content(answer)}}
    return {"summary": summary, "parameters": parameters, "responses": found | refused}


def _of_operators(path: str, of: dict[Any, Json]) -> Json:
    summary, answer = _OF_OPERATORS[path]
    operation = _operation(summary, of[answer], of, [])
    more = {404: "no service has run on this store", 503: "the store does not answer"}
    refused = {str(status): {"description": why, "content": _content(of[Refusal])} for status, why in more.items()}
    return {**operation, "responses": operation["responses"] | refused}


def _search(of: dict[Any, Json]) -> Json:
    operation = _operation("Findings by criteria, as GuardDuty's ListFindings takes them", of[Findings], of, [])
    return {**operation, "requestBody": {"required": False, "content": _content(of[SearchBody])}}


def _content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _criteria(most: int, is_paged: bool) -> list[Json]:
    attribute = {
        "name": "criteria",
        "in": "query",
        "description": (
            "Any attribute of a finding, such as type or resource.instanceDetails.instanceId; of several values one "
            "is enough. With an operator: severity__gte=7, createdAt__lt=2026-11-24, type__matches=*:S3/*, "
            "accountId__neq=..."
        ),
        "style": "form",
        "explode": True,
        "schema": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    }
    limit = _query("limit", {"type": "integer", "minimum": 1, "maximum": most})
    paging = [
        _query("sort", {"type": "string"}, "An attribute; with - before it the greatest come first."),
        _query("cursor", {"type": "string"}, "Of the page before."),
    ]
    return [attribute, limit, *(paging if is_paged else [])]


def _grouping() -> list[Json]:
    return [
        *_criteria(MAX_GROUPS, False),
        _query("group_by", {"type": "string", "enum": list(get_args(GroupBy)), "default": "SEVERITY"}),
        _query("order", {"type": "string", "enum": ["ASC", "DESC"], "default": "DESC"}),
    ]


def _of_timeline() -> list[Json]:
    return [
        _path("kind", {"type": "string", "enum": list(ENTITIES)}),
        _path("value"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_EVENTS}),
        _query("cursor", {"type": "string"}, "Of the page before."),
    ]


def _query(name: str, schema: Json, description: str = "") -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _path(name: str, schema: Json | None = None) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema or {"type": "string"}}
