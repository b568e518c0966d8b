"""The routes beside GuardDuty's: health, metrics, how the service stands, queries, and logs that are sent to us."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter

from guardray.access.gate import Gate
from guardray.api.explanation import Explainer
from guardray.api.health import add_health
from guardray.api.ingest import add_ingest
from guardray.api.metrics import MetricsAccess, add_metrics
from guardray.api.model_view import add_model_view
from guardray.api.plain import Operators
from guardray.api.query_routes import add_queries
from guardray.api.service_view import add_service_view
from guardray.api.status_reader import StatusReader
from guardray.connectors.spool import Spool, SpoolConfig
from guardray.context.enrich import Indicators
from guardray.custom.library import OwnRule
from guardray.intel.store import IndicatorStore
from guardray.store.database import Database
from guardray.types import AccountId


@dataclass(frozen=True, kw_only=True)
class ServiceRouteSettings:
    """What the operator decides of them.

    Attributes:
        spool: where bodies go that are sent; null: none are taken, and there is no such route.
        metrics: who gets the metrics.
        management_account: whose keys see how the service stands; null: those of every account.
        rules: of one's own, which are listed and explained as the others are.
        lists: those in use, without which some detectors cannot fire.
        models: the registry's folder; null: there are none.
    """

    spool: SpoolConfig | None = None
    metrics: MetricsAccess = MetricsAccess.TOKEN
    management_account: AccountId | None = None
    rules: tuple[OwnRule, ...] = ()
    lists: Indicators = field(default_factory=IndicatorStore)
    models: Path | None = None


def service_router(database: Database, gate: Gate, settings: ServiceRouteSettings) -> APIRouter:
    """All of them, for `guardray.api.app.build_app`."""
    router = APIRouter(include_in_schema=False)
    reader = StatusReader(database)
    operators = Operators(gate, settings.management_account)
    add_health(router, reader)
    add_metrics(router, reader, operators, settings.metrics)
    add_service_view(router, reader, operators)
    add_model_view(router, operators, settings.models)
    add_queries(router, database, gate, Explainer(settings.rules, settings.lists))
    if settings.spool is not None:
        add_ingest(router, gate, Spool(settings.spool), settings.spool.max_body_bytes)
    return router
