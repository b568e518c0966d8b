"""The whole service as an application of Ray Serve: for configurations of Serve, and KubeRay's RayService.

`guardray serve` starts the same parts from a process of its own. Here Serve does, on the cluster that it runs on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ray
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from ray import serve
from ray.serve import Application

from guardray.runtime.ingress import api_of
from guardray.runtime.service import COORDINATOR, NAMESPACE, start_coordinator, start_publisher
from guardray.runtime.trainer import start_trainer
from guardray.service.config import ServeConfig
from guardray.service.config_loading import load_config
from guardray.service.lists import put_lists_into_use
from guardray.service.logging import LogFormat, configure, get_logger
from guardray.service.memory_limit import MemoryLimit, check_memory

API, STEWARD = "api", "steward"


class Arguments(BaseModel):
    """What a configuration of Serve says under `args`.

    Attributes:
        config: the path of the service's configuration, on every node. Variables of the environment win over it.
    """

    model_config = ConfigDict(extra="forbid")

    config: Path


def application(arguments: Arguments) -> Application:
    """The service: its API, and with it everything else.

    Raises:
        UsageError: the configuration is wrong.
    """
    config = load_config(arguments.config).config
    steward: Any = serve.deployment(name=STEWARD, health_check_period_s=5, ray_actor_options={"num_cpus": 0})(Steward)

    def made() -> FastAPI:
        configure(LogFormat.JSON)
        config.data.mkdir(parents=True, exist_ok=True)  # Serve starts its deployments in no order
        return api_of(config)

    @serve.deployment(name=API, ray_actor_options={"num_cpus": 0})
    @serve.ingress(made)
    class Api:
        """The API, which is made in each replica: connections do not travel."""

        def __init__(self, steward: Any, limit_mb: int) -> None:
            self.steward = steward  # without the API Serve would not start it
            self._limit = MemoryLimit.of_mb(limit_mb)

        def check_health(self) -> None:
            check_memory(self._limit)

    return Api.bind(steward.bind(config), config.memory.other_mb)  # type: ignore[attr-defined, no-any-return]


class Steward:
    """Sees to it that there are a coordinator and a publisher. Both outlive it, and are made anew when they die."""

    def __init__(self, config: ServeConfig) -> None:
        configure(LogFormat.JSON)
        log = get_logger("guardray.steward")
        config.data.mkdir(parents=True, exist_ok=True)
        for notice in put_lists_into_use(config):
            log.warning("problem", problem=notice)
        start_publisher(config)
        start_coordinator(config)
        start_trainer(config)

    def check_health(self) -> None:
        """Raises ValueError where there is no coordinator: Serve makes this anew then, which makes one."""
        ray.get_actor(COORDINATOR, namespace=NAMESPACE)
