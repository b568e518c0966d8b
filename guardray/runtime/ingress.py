"""The API on Ray Serve: any number of equal replicas in front of one store."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.exceptions import RayError
from ray.serve.config import HTTPOptions

from guardray.access.gate import Gate
from guardray.access.issue import seal_for
from guardray.api.activation import ListKeeper
from guardray.api.app import build_app
from guardray.api.call import Settings
from guardray.api.core import Api
from guardray.api.exports import ExportKeeper
from guardray.api.metrics import MetricsAccess
from guardray.api.rounds import Keepers
from guardray.api.service_routes import ServiceRouteSettings, service_router
from guardray.errors import UsageError
from guardray.intel.upkeep import Library
from guardray.intel.versions import CurrentIndicators
from guardray.rulebook.loading import chosen, load_own
from guardray.service.config import ServeConfig
from guardray.service.logging import LogFormat, configure
from guardray.service.memory_limit import MemoryLimit, check_memory
from guardray.store.access_keys import AccessKeys
from guardray.store.database import Database

APP = "guardray"


def api_of(config: ServeConfig) -> FastAPI:
    """The web application of a service, in whatever server it runs."""
    database = Database(config.store_url)
    seal = seal_for(AccessKeys(database), config.data)
    gate = Gate.open(config.store_url, seal)
    own = load_own(config.detections)
    settings = Settings(
        management_account=config.api.management_account,
        list_folder=config.data / "lists",
        detectors=chosen(own, ()),
        rules=own.rules,
    )
    metrics = MetricsAccess.OPEN if config.api.metrics == "open" else MetricsAccess.TOKEN
    route_settings = ServiceRouteSettings(
        spool=config.spool_config,
        metrics=metrics,
        management_account=config.api.management_account,
        rules=own.rules,
        lists=CurrentIndicators(config.data),
        models=config.models_folder,
    )
    routes = service_router(database, gate, route_settings)
    keepers = Keepers(ListKeeper(database, Library(config.data), settings.list_folder), ExportKeeper(database))
    return build_app(Api(database, settings), gate, keepers, routes)


class Replica:
    """One process of the API.

    Args:
        limit_mb: memory that it may take.
    """

    def __init__(self, limit_mb: int) -> None:
        self._limit = MemoryLimit.of_mb(limit_mb)

    def check_health(self) -> None:
        """Raises OutgrownError where it takes too much memory: Serve puts another in its place then."""
        check_memory(self._limit)


def start_ingress(config: ServeConfig) -> None:
    """Serve the API at the host and port of the configuration. Returns when it answers.

    Raises:
        UsageError: it cannot be served there.
    """
    try:
        _start(config)
    except (RayError, RuntimeError, TimeoutError) as error:
        *_, reason = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise UsageError(f"the API cannot be served at {config.api.host}:{config.api.port}: {reason}") from error


def _start(config: ServeConfig) -> None:
    api = config.api
    options: dict[str, Any] = {"host": api.host, "port": api.port}
    if api.tls is not None:
        options |= {"ssl_certfile": str(api.tls.certfile), "ssl_keyfile": str(api.tls.keyfile)}
    # Of what Serve says in this process, nothing but warnings is for whoever started the service.
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    _start_serve(HTTPOptions(**options))
    autoscaling = {"min_replicas": api.replicas.min, "max_replicas": api.replicas.max}
    deployment: Any = serve.deployment(
        name=APP, autoscaling_config=autoscaling, ray_actor_options={"num_cpus": 0}, graceful_shutdown_timeout_s=5
    )

    def made() -> FastAPI:
        configure(LogFormat.JSON)
        return api_of(config)

    served: Any = serve.ingress(made)(Replica)  # the application is made in each: connections do not travel
    serve.run(deployment(served).bind(config.memory.other_mb), name=APP, route_prefix="/")


def _start_serve(options: HTTPOptions) -> None:
    """Serve waits a minute for its proxies. On a busy machine they take longer, and are on their way all the same."""
    try:
        serve.start(http_options=options)
    except TimeoutError:
        serve.start(http_options=options)  # joins the one that was begun


def stop_ingress() -> None:
    """Take the API down, after the requests that are under way. Serve itself stays with its cluster."""
    serve.delete(APP)
