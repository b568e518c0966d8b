"""The trainer: an actor that trains models when that is due, and has the pool reload what is in force."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import Any

import ray
from ray import serve
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayError
from ray.serve.exceptions import RayServeException

from guardray.connectors.source import utc_now
from guardray.detectors.features import FeatureSpec
from guardray.errors import UsageError
from guardray.models.registry import Registry
from guardray.runtime.pools import POOL, PoolSize, deploy_pool, pool_status
from guardray.runtime.service import DETACHED, NAMESPACE, TRAINER
from guardray.service.assembly import specs_of_service, training_of
from guardray.service.config import ServeConfig
from guardray.service.logging import LogFormat, configure, get_logger
from guardray.service.memory_limit import MemoryLimit, watch
from guardray.service.models import ModelsInForce, Versions
from guardray.service.training import NOT_TRAINED

LOOK_S = 2.0
"""Between looks at the registry: a promotion is in the replicas soon after. Who scores does not wait for it."""

CHECK_S = 30.0
"""Between looks whether the pool is still there."""

DUE_S = 20.0
"""Between looks whether the archive has a new day."""

TRAINING_TIMEOUT_S = 3600.0
"""A training of some thousand rows an account takes seconds; one that takes so long hangs, and is given up."""

_NICE = 10


class PoolKeeper:
    """Has a pool with what is in force, as soon as anything is.

    Args:
        registry: what is promoted there is deployed.
        specs: that are scored.
        size: of the pool.
    """

    def __init__(self, registry: Registry, specs: Sequence[FeatureSpec], size: PoolSize) -> None:
        self._root, self._specs, self._size = registry.root, specs, size
        self._log = get_logger("guardray.trainer")
        self._in_force = ModelsInForce(registry, specs, lambda problem: self._log.warning("problem", problem=problem))
        self._deployed: Versions = {}
        self._checked = float("-inf")

    def look(self, now: float) -> None:
        """Deploy what is new, or what is gone. What fails is tried again at the next look.

        Args:
            now: seconds, of a clock that goes on steadily.
        """
        wanted = self._in_force.current()
        if not wanted or (wanted == self._deployed and not self._is_gone(now)):
            return
        try:
            deploy_pool(self._root, self._specs, wanted, self._size)
        except (RayError, RayServeException, RuntimeError, TimeoutError) as error:
            self._log.warning("the pool cannot be deployed", reason=str(error).strip().partition("\n")[0])
            return
        self._deployed = dict(wanted)
        self._log.info("models in force", versions=self._deployed)

    def _is_gone(self, now: float) -> bool:
        if now - self._checked < CHECK_S:
            return False
        self._checked = now
        return not pool_status()


def _run_training(config: ServeConfig, is_asked: bool) -> list[str]:
    """One training, in a process of its own that ends with it: what learning takes is given back."""
    configure(LogFormat.JSON)
    os.nice(_NICE)
    watch(MemoryLimit.of_mb(config.memory.other_mb, youth_s=0), lambda: _give_up(config.memory.other_mb))
    return training_of(config).run(utc_now(), is_asked=is_asked)


def _give_up(limit_mb: int) -> None:
    get_logger("guardray.trainer").error("training given up", reason=f"it takes more than memory.other_mb, {limit_mb}")
    os._exit(1)


_TRAINING: Any = ray.remote(num_cpus=0, max_calls=1, max_retries=0)(_run_training)


class TrainerActor:
    """Looks at registry and archive from the moment that it is made."""

    def __init__(self, config: ServeConfig) -> None:
        configure(LogFormat.JSON)
        self._config, self._log = config, get_logger("guardray.trainer")
        self._registry, self._specs = Registry(config.models_folder.absolute()), specs_of_service(config)
        self._seen: dict[str, str] = {}
        self._stopping, self._at_work = threading.Event(), threading.Lock()
        loops = (self._keep, self._train_when_due) if config.models.training else (self._keep,)
        for loop in loops:
            threading.Thread(target=loop, daemon=True).start()
        watch(MemoryLimit.of_mb(config.memory.other_mb), self._begin_anew)

    def ready(self) -> None:
        """Answers once it looks."""

    def _begin_anew(self) -> None:
        """Gives memory back that only the end of a process gives back, once no training is under way."""
        with self._at_work:
            self._log.warning("outgrown")
            os._exit(1)

    def stop(self) -> None:
        """Deploy and train nothing more."""
        self._stopping.set()

    def train(self) -> list[str]:
        """Train now, whatever is due. What was done, in a line a spec."""
        return self._train(is_asked=True)

    def _keep(self) -> None:
        pool, limit_mb = self._config.models.pool, self._config.memory.other_mb
        size = PoolSize(min=pool.min, max=pool.max, cpus=pool.cpus, limit_mb=limit_mb)
        keeper = PoolKeeper(self._registry, self._specs, size)
        while not self._stopping.wait(LOOK_S):
            keeper.look(time.monotonic())

    def _train_when_due(self) -> None:
        training = training_of(self._config)
        while not self._stopping.wait(DUE_S):
            latest = training.latest()
            if latest != self._seen:
                self._seen = latest
                self._train(is_asked=False)

    def _train(self, is_asked: bool) -> list[str]:
        with self._at_work:
            try:
                told: list[str] = ray.get(_TRAINING.remote(self._config, is_asked), timeout=TRAINING_TIMEOUT_S)
            except (RayError, GetTimeoutError) as error:  # what is in force stays, and a new day tries again
                told = [f"{NOT_TRAINED}: {str(error).strip().splitlines()[-1]}"]
        for line in told:
            self._log.info("training", told=line)
        return told


def start_trainer(config: ServeConfig) -> ActorHandle[Any]:
    """The trainer of this cluster, made where there is none, on the Serve that runs. Does not wait for it."""
    actor: Any = ray.remote(TrainerActor)
    trainer: ActorHandle[Any] = actor.options(name=TRAINER, **DETACHED).remote(config)
    return trainer


def train_now() -> list[str]:
    """Have the trainer of this cluster train, whatever is due. What was done, in a line a spec.

    Raises:
        UsageError: there is none, or it does not answer.
    """
    try:
        trainer = ray.get_actor(TRAINER, namespace=NAMESPACE)
        told: list[str] = ray.get(trainer.train.remote(), timeout=2 * TRAINING_TIMEOUT_S)
    except ValueError as error:
        raise UsageError("no service with a trainer runs on this cluster") from error
    except (RayError, GetTimeoutError) as error:
        raise UsageError(f"the trainer does not answer: {str(error).strip().splitlines()[0]}") from error
    return told


def stop_pool() -> None:
    """End the pool, where there is one."""
    serve.delete(POOL)
