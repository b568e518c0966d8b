"""A service on Ray: the coordinator and the publisher as named actors, and the API on Serve."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.actor import ActorHandle
from ray.exceptions import ActorDiedError, GetTimeoutError, RayError

from guardray.errors import (
    FencedError,
    GuardrayError,
    OutgrownError,
    RefusedStateError,
    ServiceLostError,
    StoreError,
    UsageError,
)
from guardray.publish.destinations import read_destinations
from guardray.publish.publisher import Publisher
from guardray.runtime.crew import RayCrew
from guardray.runtime.pools import PoolClient
from guardray.service.assembly import assembled, fence_of, learned_of, settings_of, surroundings_of
from guardray.service.config import ServeConfig
from guardray.service.logging import LogFormat, configure, get_logger
from guardray.service.memory_limit import MemoryLimit, watch
from guardray.service.models import EpochScorer
from guardray.service.room import Room
from guardray.service.status import Phase
from guardray.store.outbox import Outbox

T = TypeVar("T")

NAMESPACE = "guardray"
COORDINATOR, PUBLISHER, TRAINER = "coordinator", "publisher", "trainer"

DETACHED: dict[str, Any] = {
    "namespace": NAMESPACE,
    "lifetime": "detached",
    "get_if_exists": True,
    "num_cpus": 0,
    "max_restarts": -1,
    "max_concurrency": 4,  # so that it answers while it is told to stop
}
"""Options of actors that outlive the process which made them."""

ANSWER_TIMEOUT_S = 5.0

STORE_PAUSE_S = 2.0
"""Between tries of a store that is being started again."""

STOP_TIMEOUT_S = 120.0
"""An epoch that is under way, and a last checkpoint. After that the log of epochs has to do."""


def from_the_store(make: Callable[[], T]) -> T:
    """What an actor has to have of the store to be made.

    An actor whose making fails is never made anew. So the first one tells why, and one that takes the place of another
    waits until the store answers again.
    """
    while True:
        try:
            return make()
        except StoreError as error:
            if not ray.get_runtime_context().was_current_actor_reconstructed:
                raise
            get_logger("guardray.service").warning("problem", problem=str(error))
            time.sleep(STORE_PAUSE_S)


class CoordinatorActor:
    """Runs the loop of a service in a thread of its own, from the moment that it is made: also when Ray makes it anew.

    Args:
        take_over: shut out a coordinator that may still write somewhere, as after the loss of its node.
    """

    def __init__(self, config: ServeConfig, take_over: bool) -> None:
        configure(LogFormat.JSON)
        self._log = get_logger("guardray.coordinator")
        learned = learned_of(config)
        settings = replace(settings_of(config)[0], scorer=EpochScorer(PoolClient().score), archives=learned is not None)
        is_restart = ray.get_runtime_context().was_current_actor_reconstructed
        room = Room(state=config.budget_mb << 20, process=config.memory.shard_mb << 20)
        surroundings = surroundings_of(config, settings)
        workers, shards, worker_mb = config.ingest.min, config.shards.min, config.memory.ingest_mb
        crew = RayCrew(settings, surroundings, workers, shards, room, learned, worker_mb)
        parts = from_the_store(lambda: assembled(config, settings, crew))
        self._loop, self._traces = parts.loop, parts.traces
        self._fence = from_the_store(lambda: fence_of(parts.store, take_over=take_over or is_restart))
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._loop.run(self._fence)
        except FencedError as error:
            self._log.warning("replaced", reason=str(error))
        except RefusedStateError as error:  # would be raised again by each that Ray makes anew: a person has to act
            self._log.error("refused", reason=str(error))
        except OutgrownError as error:
            self._log.warning("outgrown", reason=str(error))
            os._exit(1)
        except BaseException:
            self._log.exception("the coordinator failed")
            os._exit(1)  # Ray makes it anew, and the new one goes on from the last checkpoint

    def phase(self) -> str:
        """What the service is at."""
        return str(self._loop.phase)

    def standing(self) -> tuple[Phase, str]:
        """What the service is at, and what to tell people of it."""
        return self._loop.phase, self._loop.told

    def stop(self) -> None:
        """Finish the epoch that is under way, write a last checkpoint, and let go of everything."""
        self._loop.stop()
        self._thread.join(STOP_TIMEOUT_S)
        if self._traces is not None:
            self._traces.close()


class PublisherActor:
    """Sends findings to their destinations, from the moment that it is made."""

    def __init__(self, store_url: str, destinations: Path, limit_mb: int) -> None:
        configure(LogFormat.JSON)
        self._outbox = from_the_store(lambda: Outbox.open(store_url))
        self._publisher = from_the_store(
            lambda: Publisher(read_destinations(destinations), self._outbox, destinations.parent)
        )
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()
        watch(MemoryLimit.of_mb(limit_mb), self._begin_anew)

    def _begin_anew(self) -> None:
        """Gives memory back that only the end of a process gives back."""
        get_logger("guardray.publisher").warning("outgrown")
        self.stop()
        os._exit(1)

    def _run(self) -> None:
        try:
            self._publisher.run()
        except BaseException:
            get_logger("guardray.publisher").exception("the publisher failed")
            os._exit(1)  # Ray makes it anew, and what was not sent is sent then

    def ready(self) -> None:
        """Answers once it publishes."""

    def stop(self) -> None:
        """Finish the requests that are under way."""
        self._publisher.stop()
        self._thread.join(STOP_TIMEOUT_S)


def start_coordinator(config: ServeConfig, *, take_over: bool = False) -> ActorHandle[Any]:
    """The coordinator of this cluster, made where there is none. It outlives the process that made it.

    Raises:
        UsageError: it cannot begin, for a reason that it knows, such as a store that is of a newer version.
    """
    actor: Any = ray.remote(CoordinatorActor)
    handle = actor.options(name=COORDINATOR, **DETACHED)
    coordinator: ActorHandle[Any] = handle.remote(config, take_over)
    _await(coordinator.phase.remote(), config)
    return coordinator


def start_publisher(config: ServeConfig) -> ActorHandle[Any] | None:
    """The publisher of this cluster, made where there is none; None where nothing is to be published.

    Raises:
        UsageError: it cannot begin, for a reason that it knows.
    """
    if config.publish is None:
        return None
    actor: Any = ray.remote(PublisherActor)
    handle = actor.options(name=PUBLISHER, **DETACHED)
    publisher: ActorHandle[Any] = handle.remote(config.store_url, config.publish.absolute(), config.memory.other_mb)
    _await(publisher.ready.remote(), config)
    return publisher


def _await(answer: Any, config: ServeConfig) -> None:
    try:
        ray.get(answer, timeout=config.ray.start_timeout.total_seconds())
    except ActorDiedError as error:
        if (reason := _own_reason(error)) is not None:
            raise UsageError(reason) from error
        raise


def _own_reason(error: ActorDiedError) -> str | None:
    """What this program refused in an actor's making; None: it died of something else."""
    # Of an exception in the actor's making, Ray tells the text alone; the last line of it has the reason.
    kind, _, reason = _last_line(error).partition(": ")
    return reason if kind.startswith(f"{GuardrayError.__module__}.") else None


def _last_line(error: Exception) -> str:
    *_, last = str(error).strip().splitlines() or [type(error).__name__]
    return last.strip()


def standing_of(coordinator: ActorHandle[Any]) -> tuple[Phase, str] | None:
    """What a coordinator is at, and what to tell people of it; None where it does not say so for the moment.

    Raises:
        UsageError: it refuses to go on from the state that there is: what to do is said.
        ServiceLostError: it is gone, and Ray makes none in its place.
    """
    try:
        answer: Any = coordinator.standing.remote()
        standing: tuple[Phase, str] = ray.get(answer, timeout=ANSWER_TIMEOUT_S)
    except ActorDiedError as error:
        if _is_named(COORDINATOR):  # another has taken its place, or this one is being made anew
            return None
        told = f"the coordinator has ended for good: {_own_reason(error) or _last_line(error)}"
        raise ServiceLostError(told) from error
    except (RayError, GetTimeoutError):  # it is being made anew, or its node is
        return None
    phase, told = standing
    if phase is Phase.REFUSED:
        ray.kill(coordinator)  # it would outlive this process, and the next start would find it as it is
        raise UsageError(told)
    return standing


def _is_named(name: str) -> bool:
    """Whether there is an actor of this name. One that is dead for good has none."""
    try:
        ray.get_actor(name, namespace=NAMESPACE)
    except ValueError:
        return False
    return True


def stop_actor(name: str) -> None:
    """Ask a named actor to end in order, and end it."""
    try:
        actor = ray.get_actor(name, namespace=NAMESPACE)
    except ValueError:
        return
    try:
        ray.get(actor.stop.remote(), timeout=STOP_TIMEOUT_S + 10)
    finally:
        ray.kill(actor)
