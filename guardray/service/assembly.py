"""From a configuration to the parts of a service, in whatever process they run."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass

from guardray.connectors.many import ManySources
from guardray.connectors.opening import open_source
from guardray.connectors.source import utc_now
from guardray.context.enrich import Surroundings
from guardray.dataflow.baseline import Baseline
from guardray.dataflow.scan import ScanSettings
from guardray.detectors.declare import activities_of
from guardray.detectors.features import FeatureSpec, specs_of
from guardray.errors import StoreError
from guardray.geo.geography import Geography
from guardray.intel.store import IndicatorStore
from guardray.intel.versions import CurrentIndicators
from guardray.inventory import read_inventory
from guardray.models.archive import Archive
from guardray.models.policy import Policy
from guardray.models.registry import Registry
from guardray.rulebook.loading import chosen, load_own
from guardray.service.account import Account
from guardray.service.config import ServeConfig
from guardray.service.coordinator import Coordinator
from guardray.service.elasticity import ElasticCrew, Elasticity
from guardray.service.features import FeatureArchive
from guardray.service.feedback import Feedback
from guardray.service.listener import Listeners
from guardray.service.logging import get_logger
from guardray.service.loop import LEASE, Loop
from guardray.service.memory_limit import MemoryLimit
from guardray.service.models import ModelsInForce
from guardray.service.pace import Pace
from guardray.service.scaling import IngestGoals, Range, ShardGoals
from guardray.service.tracing import ObjectTraces, open_traces
from guardray.service.training import Training
from guardray.service.watermark import Patience
from guardray.sources.limits import Limits
from guardray.sources.set_aside import SetAsideFolder
from guardray.store.database import Database
from guardray.store.service import ServiceStore
from guardray.store.service_status import StatusBoard


def settings_of(config: ServeConfig) -> tuple[ScanSettings, list[str]]:
    """What a service looks for; then what there is to tell of it. Lists are not in it: they may change meanwhile.

    Raises:
        UsageError: a file that the configuration names is not usable.
    """
    own = load_own(config.detections)
    detectors = chosen(own, ())
    baseline = Baseline() if config.baseline is None else Baseline.open(config.baseline)
    baseline, refused = baseline.fitting(activities_of(detectors))
    settings = ScanSettings(
        detectors=detectors,
        indicators=IndicatorStore(),
        geography=Geography.load(config.geo, config.aws_ranges),
        assets=read_inventory(config.inventory),
        baseline=baseline,
        limits=Limits(lateness=config.patience.lateness),
        key_filter=config.key_filter,
    )
    return settings, [*(f"not loaded: {problem}" for problem in own.problems), *refused]


def learned_of(config: ServeConfig) -> FeatureArchive | None:
    """Keeps what models learn from; None where the service does not train."""
    if not config.models.training:
        return None
    return FeatureArchive(Archive(config.archive_folder.absolute()), specs_of_service(config))


def specs_of_service(config: ServeConfig) -> tuple[FeatureSpec, ...]:
    """What a service measures for models."""
    return specs_of(chosen(load_own(config.detections), ()))


def training_of(config: ServeConfig) -> Training:
    """The training of a service."""
    models = config.models
    detectors = chosen(load_own(config.detections), ())
    return Training(
        Archive(config.archive_folder.absolute()),
        Registry(config.models_folder.absolute()),
        specs_of(detectors),
        Policy(budget=models.budget, by_hand=models.by_hand),
        every=models.train_every,
        keep_days=models.keep_days,
        feedback=Feedback(config.store_url, detectors),
    )


def surroundings_of(config: ServeConfig, settings: ScanSettings) -> Surroundings:
    """What rows are enriched with: lists as they are at the time."""
    return Surroundings(CurrentIndicators(config.data), settings.geography)


@dataclass(frozen=True)
class Assembled:
    """The parts of a service that run in one process."""

    loop: Loop
    store: ServiceStore
    traces: ObjectTraces | None = None


def assembled(config: ServeConfig, settings: ScanSettings, crew: ElasticCrew) -> Assembled:
    """The loop of a service, ready to run, and its store."""
    log = get_logger("guardray.service")
    store = ServiceStore.open(config.store_url)
    source = source_of(config)
    aside = SetAsideFolder(config.data)
    account = Account(utc_now, log=lambda problem: log.warning("problem", problem=problem), keep=aside.add)
    traces = open_traces(config.traces, source.source_of)
    coordinator = Coordinator(
        settings,
        CurrentIndicators(config.data),
        crew,
        source,
        store,
        config.checkpoints_url,
        pace=Pace(
            max_objects=config.epoch.max_objects,
            max_bytes=config.epoch.max_bytes,
            quiet_epoch=config.epoch.interval,
            checkpoint_every=config.checkpoint.interval,
            checkpoints_kept=config.checkpoint.kept,
        ),
        patience=Patience(**config.patience.model_dump()),
        listener=account if traces is None else Listeners([account, traces]),
        models=ModelsInForce(Registry(config.models_folder), specs_of(settings.detectors), account.on_problem).current,
    )
    board = StatusBoard(Database(config.store_url))
    elasticity = Elasticity(
        crew,
        IngestGoals(
            range=Range(min=config.ingest.min, max=config.ingest.max),
            target_age_s=config.ingest.target_age.total_seconds(),
            quiet_s=config.ingest.quiet.total_seconds(),
        ),
        ShardGoals(
            range=Range(min=config.shards.min, max=config.shards.max),
            max_rows=config.shards.max_rows,
            max_bytes=config.memory.shard_mb << 19,  # tables double when they grow
        ),
        lambda reason: log.info("resized", reason=reason),
    )
    limit = MemoryLimit.of_mb(config.memory.other_mb)
    return Assembled(Loop(coordinator, source, store, board, account, utc_now, elasticity, limit), store, traces)


def source_of(config: ServeConfig) -> ManySources:
    """All sources of a service as one: those of its configuration, and the spool of what is sent to it."""
    config.spool_config.path.mkdir(parents=True, exist_ok=True)
    sources = [open_source(one.url, **config.options_of(one)) for one in config.sources]
    return ManySources([*sources, open_source(f"spool:{config.spool_config.path}")])


def fence_of(store: ServiceStore, *, take_over: bool) -> int:
    """The fence of this process as the one writer. Waits for a service that has crashed to count as gone.

    Args:
        take_over: whoever holds it is known to be gone, or is to be shut out.

    Raises:
        StoreError: another service runs on the store.
    """
    deadline = time.monotonic() + 1.5 * LEASE.total_seconds()
    while True:
        try:
            return store.lease.acquire(own_name(), utc_now(), LEASE, take_over=take_over)
        except StoreError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def own_name() -> str:
    """What this process calls itself."""
    return f"{socket.gethostname()}:{os.getpid()}"
