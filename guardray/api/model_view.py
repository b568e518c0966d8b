"""`GET /v1/models`: the versions of models that there are, and which of them are in force, for operators."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from guardray.api.plain import Operators, admitted, endpoint, json_answer
from guardray.api.service_answers import Models, Version
from guardray.errors import ModelError
from guardray.models.registry import Registry


def add_model_view(router: APIRouter, operators: Operators, folder: Path | None) -> None:
    """Add the route.

    Args:
        folder: the registry's, which need not be there yet; null: there are no models.
    """

    async def models(web: WebRequest, request_id: str) -> WebResponse:
        await admitted(operators, web, request_id)
        return json_answer(Models([], []) if folder is None else await run_in_threadpool(_models, Registry(folder)))

    router.add_api_route("/v1/models", endpoint(models), methods=["GET"], response_model=None)


def _models(registry: Registry) -> Models:
    cards, problems = registry.cards()
    try:
        in_force = registry.promotions().in_force
    except ModelError as error:
        in_force, problems = {}, [*problems, error]
    # Where the files lie is nobody's business who has a key.
    reasons = [str(problem).replace(f"{registry.root}/", "") for problem in problems]
    return Models([Version(in_force.get(card.family) == card.version, card) for card in cards], reasons)
