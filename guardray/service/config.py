"""The service's configuration: every setting with its default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from guardray.connectors.spool import SpoolConfig
from guardray.service.config_values import (
    ApiConfig,
    CheckpointConfig,
    EpochConfig,
    EventsConfig,
    IngestConfig,
    MemoryConfig,
    ModelsConfig,
    PatienceConfig,
    RayConfig,
    ShardsConfig,
    SourceConfig,
    SpoolLimits,
    TracesConfig,
)
from guardray.sources.objects import KeyFilter

PREFIX = "GUARDRAY_"


class ServeConfig(BaseSettings):
    """Everything that `guardray serve` can be told. Without anything it is one machine, with all under `data`.

    Attributes:
        data: the folder of all that the service keeps itself.
        store: the findings database: a SQLite file or a PostgreSQL URL; `findings.db` in `data` if not given. A URL
            with a password comes from the environment or from `{file: PATH}` or `{env: NAME}`, never from the file.
        checkpoints: where state is kept: a folder or `s3://bucket/prefix`; `checkpoints` in `data` if not given.
        sources: where objects keep arriving. `/v1/ingest` takes what is sent besides.
        events: which of them are wanted.
        intel: threat feeds, in the format of configs/intel.yaml.
        threat_lists: custom threat lists.
        trusted_lists: addresses and domains that nothing is found on.
        offline: fetch no feed; take those that were fetched before.
        inventory: what EC2 says of interfaces and instances.
        geo: MaxMind databases to prefer to the built-in one.
        aws_ranges: AWS's ip-ranges.json.
        detections: detections of one's own: folders, files, or lists of such.
        baseline: what `guardray train` learned.
        publish: destinations of findings, in the format of configs/publish.yaml.
        patience: how long event time waits.
        epoch: how much is read at once.
        checkpoint: how often state is kept.
        ingest: how many workers read.
        shards: among how many processes state is divided.
        memory: what processes may take.
        api: where it listens, and how.
        spool: how much may wait of what is sent.
        models: what scores what is unusual, and how it is trained.
        traces: where traces of objects go; nowhere unless told.
        ray: the cluster.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    data: Path = Path("guardray-data")
    store: str | None = Field(default=None, repr=False)
    checkpoints: str | None = None
    sources: tuple[SourceConfig, ...] = ()
    events: EventsConfig = EventsConfig()
    intel: Path | None = None
    threat_lists: tuple[Path, ...] = ()
    trusted_lists: tuple[Path, ...] = ()
    offline: bool = False
    inventory: tuple[Path, ...] = ()
    geo: tuple[Path, ...] = ()
    aws_ranges: Path | None = None
    detections: tuple[Path, ...] = ()
    baseline: Path | None = None
    publish: Path | None = None
    patience: PatienceConfig = PatienceConfig()
    epoch: EpochConfig = EpochConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    ingest: IngestConfig = IngestConfig()
    shards: ShardsConfig = ShardsConfig()
    memory: MemoryConfig = MemoryConfig()
    api: ApiConfig = ApiConfig()
    spool: SpoolLimits = SpoolLimits()
    models: ModelsConfig = ModelsConfig()
    traces: TracesConfig = TracesConfig()
    ray: RayConfig = RayConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed: `load_config` reads the others itself, so that errors can say where a value is from."""
        return (init_settings,)

    @field_validator("store")
    @classmethod
    def _not_empty(cls, store: str | None) -> str | None:
        if store is not None and not store.strip():
            raise ValueError("is empty: a SQLite file, or a PostgreSQL URL")
        return store

    @property
    def store_url(self) -> str:
        """What opens the findings database. It may hold a password."""
        return str(self.data / "findings.db") if self.store is None else self.store

    @property
    def checkpoints_url(self) -> str:
        """The place of checkpoints, as `guardray.checkpoints` takes it."""
        return str(self.data / "checkpoints") if self.checkpoints is None else self.checkpoints

    @property
    def models_folder(self) -> Path:
        """The registry of models."""
        return self.data / "models"

    @property
    def archive_folder(self) -> Path:
        """What models learn from."""
        return self.data / "archive"

    @property
    def key_filter(self) -> KeyFilter:
        """Which objects and events are wanted."""
        events = self.events
        return KeyFilter(since=events.since, account_ids=frozenset(events.accounts), regions=frozenset(events.regions))

    def options_of(self, source: SourceConfig) -> dict[str, Any]:
        """What `open_source` takes besides a source's URL: its own settings, and which objects are wanted."""
        if source.url.startswith("spool:"):
            return source.options.given()
        return source.options.given() | {"key_filter": self.key_filter}

    @property
    def spool_config(self) -> SpoolConfig:
        """The spool of what is sent, in `data`."""
        return SpoolConfig(path=self.data / "spool", **self.spool.model_dump())

    @property
    def budget_mb(self) -> int:
        """What the state of all shards together may take; tables double when they grow, so half of the processes'."""
        return self.memory.budget_mb or self.memory.shard_mb * self.shards.max // 2

    def ray_environment(self, folder: Path) -> dict[str, str]:
        """Variables that Ray's processes read where this service starts them, with a folder for what they keep."""
        check = self.ray.health_check
        variables = {
            "RAY_AUTH_MODE": "token",
            "RAY_health_check_initial_delay_ms": "0",
            "RAY_health_check_period_ms": str(round(check.period.total_seconds() * 1000)),
            "RAY_health_check_timeout_ms": str(round(check.timeout.total_seconds() * 1000)),
            "RAY_health_check_failure_threshold": str(check.failures),
            # The head would remember each call of an actor, up to 100,000 of them: some 200 MB that nobody looks at.
            "RAY_task_events_report_interval_ms": "0",
            # A busy machine starts a proxy in more than the 5 s after which it would be begun anew, for ever.
            "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "30",
            "RAY_SERVE_ENABLE_HA_PROXY": str(int(self.ray.haproxy)),
        }
        if self.ray.gcs_storage == "rocksdb":
            variables |= {
                "RAY_gcs_storage": "rocksdb",
                "RAY_gcs_storage_path": str(folder / "gcs"),
            }
        return variables
