"""The pool of detectors' models: replicas of a Serve deployment that score rows, as many as there is work for.

Replicas hold no state but models, which they have from the registry. Each call names the version that it wants, so that
a promotion is nothing but a reload ahead of the first call, and an epoch that is replayed gets the version of its first
time.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import polars as pl
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException

from guardray import __version__
from guardray.detectors.features import FeatureSpec
from guardray.errors import CrewLostError, ModelError
from guardray.models.registry import Registry
from guardray.service.logging import LogFormat, configure, get_logger
from guardray.service.memory_limit import MemoryLimit, check_memory
from guardray.service.models import LoadedModels, Versions
from guardray.service.status import PoolStatus

POOL = "detectors"
"""Name of the application, and of its one deployment."""

MOST_ONGOING = 2
"""Calls that a replica takes at once: one that is scored and one that arrives. Others wait at the shards that made
them, and a shard makes one at a time, so that no queue is longer than there are shards."""

CALL_TIMEOUT_S = 60.0
"""A call is some thousand rows, which takes less than a second. A replica that is silent for so long hangs."""

PATIENCE_S = 240.0
"""A pool that is down is waited for so long before a shard gives up, and the epoch is begun anew: less than the crew
waits for the shard."""

_PAUSES_S = (0.1, 0.5, 2.0, 5.0)


@dataclass(frozen=True, kw_only=True)
class PoolSize:
    """How many replicas there may be.

    Attributes:
        min: 0 lets the pool end when nobody has asked it for a while; the first call then waits for some seconds.
        max: of them.
        cpus: cores that each asks the cluster for; nodes follow where there are not so many.
        ongoing: calls a replica that are meant to be under way; with more of them, there are more replicas.
        limit_mb: memory that the process of each may take.
    """

    min: int = 0
    max: int = 4
    cpus: float = 0.5
    ongoing: float = 1.0
    limit_mb: int = 1024


class DetectorPool:
    """A replica.

    Args:
        root: the registry's folder.
        specs: what may be asked for.
        limit_mb: that its process may take.
    """

    def __init__(self, root: Path, specs: Sequence[FeatureSpec], limit_mb: int) -> None:
        configure(LogFormat.JSON)
        self._limit = MemoryLimit.of_mb(limit_mb)
        self._models = LoadedModels(Registry(root))
        self._specs = {spec.name: spec for spec in specs}

    def reconfigure(self, user_config: dict[str, dict[str, str]]) -> None:
        """Load what is in force now. A model that cannot be loaded is told of, and those there are stay."""
        for name, version in user_config["versions"].items():
            try:
                self._models.load(name, version)
            except ModelError as error:
                get_logger("guardray.pool").warning("model refused", spec=name, version=version, reason=str(error))

    def check_health(self) -> None:
        """Raises OutgrownError where it takes too much memory: Serve puts another in its place then."""
        check_memory(self._limit)

    def score(self, name: str, version: str, rows: pl.DataFrame) -> pl.DataFrame:
        """See `guardray.models.scorer.Scorer.score`. Raises ModelError where the version cannot be had."""
        return self._models.score(self._specs[name], version, rows)


def deploy_pool(root: Path, specs: Sequence[FeatureSpec], versions: Versions, size: PoolSize) -> None:
    """Have a pool with these versions in force, on the Serve that runs.

    Where nothing but versions is new, replicas reload one after another, and go on answering meanwhile.

    Raises:
        RayError, RayServeException: Serve does not answer.
    """
    deployment: Any = serve.deployment(
        name=POOL,
        user_config={"versions": dict(versions)},
        max_ongoing_requests=MOST_ONGOING,
        ray_actor_options={"num_cpus": size.cpus},
        health_check_period_s=5,
        graceful_shutdown_timeout_s=10,
        autoscaling_config={
            "min_replicas": size.min,
            "max_replicas": size.max,
            "target_ongoing_requests": size.ongoing,
            "upscale_delay_s": 2,
            "downscale_delay_s": 60,
        },
    )(DetectorPool)
    # Ray would give each deployment a version by chance, and make all replicas anew; a new user_config of the same
    # version reloads them. It keeps this for configuration files, whose applications replace all others.
    deployment = deployment.options(version=_version_of(root, specs, size), _internal=True)
    serve.run(deployment.bind(root, tuple(specs), size.limit_mb), name=POOL, route_prefix=None)


def _version_of(root: Path, specs: Sequence[FeatureSpec], size: PoolSize) -> str:
    """Of all that replicas are made with."""
    made_with = repr((str(root), [spec.definition for spec in specs], size.cpus, size.limit_mb, __version__))
    return hashlib.blake2b(made_with.encode(), digest_size=6).hexdigest()


def pool_status() -> tuple[PoolStatus, ...]:
    """How the pool stands; nothing where there is none, or Serve does not answer for the moment."""
    try:
        app = serve.status().applications.get(POOL)
    except (RayError, RayServeException, TimeoutError):
        return ()
    if app is None or POOL not in app.deployments:
        return ()
    of = app.deployments[POOL]
    states = {str(getattr(state, "value", state)): count for state, count in of.replica_states.items()}
    wanted = sum(count for state, count in states.items() if state != "STOPPING")
    return (PoolStatus(name=POOL, replicas=states.get("RUNNING", 0), wanted=wanted),)


class PoolClient:
    """Asks the pool, for as long as it takes. See `guardray.service.models.Ask`.

    Args:
        sleep: between tries.
    """

    def __init__(
        self, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sleep, self._clock = sleep, clock

    def score(self, spec: FeatureSpec, version: str, rows: pl.DataFrame) -> pl.DataFrame:
        """The scores, once a replica has answered.

        Raises:
            ModelError: the version cannot be had.
            CrewLostError: no replica has answered for `PATIENCE_S`.
        """
        asked = rows.select(spec.whose[0], *spec.names)
        pauses, since = chain(_PAUSES_S, repeat(_PAUSES_S[-1])), self._clock()
        while True:
            try:
                return _ask_once(spec.name, version, asked)
            except RayTaskError as error:
                if isinstance(error, ModelError):  # raised by the replica; Ray only carried it here
                    raise
                raise ModelError(f"{spec.name} {version}", f"it cannot score: {_first_line(error)}") from error
            except (RayError, RayServeException, TimeoutError) as error:
                reason = _first_line(error)
            waited = self._clock() - since
            if waited > PATIENCE_S:
                raise CrewLostError(f"the pool of detectors has not answered for {waited:.0f} s: {reason}")
            get_logger("guardray.pool").warning("waiting for the pool", spec=spec.name, reason=reason)
            self._sleep(next(pauses))


def _ask_once(name: str, version: str, rows: pl.DataFrame) -> pl.DataFrame:
    # Looked up each time: a pool that was deployed anew has other replicas.
    handle = serve.get_app_handle(POOL)
    scores: pl.DataFrame = handle.score.remote(name, version, rows).result(timeout_s=CALL_TIMEOUT_S)
    return scores


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
