"""The service's configuration: where values are from, which one wins, and what is refused."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from guardray.connectors.folder import FolderSource
from guardray.connectors.opening import open_source
from guardray.connectors.spool import Spool
from guardray.errors import UsageError
from guardray.service.config import ServeConfig
from guardray.service.config_loading import Loaded, load_config
from guardray.service.config_values import Group
from guardray.sources.objects import KeyFilter

EXAMPLE = Path(__file__).parents[2] / "configs" / "guardray.yaml"


def _written(folder: Path, text: str) -> Path:
    path = folder / "guardray.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _load(path: Path | None = None, options: dict | None = None, **environment: str) -> ServeConfig:
    return load_config(path, options, environment).config


def test_the_example_says_every_key_with_its_default():
    told = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    assert _keys(told) == _settings(ServeConfig)
    config = _load(EXAMPLE)
    assert config.data.resolve() == EXAMPLE.parents[1] / "guardray-data"
    assert config == ServeConfig(data=config.data)


def _keys(told: dict) -> dict:
    return {key: _keys(value) if isinstance(value, dict) else None for key, value in told.items()}


def _settings(model: type) -> dict:
    return {
        name: _settings(field.annotation)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Group)
        else None
        for name, field in model.model_fields.items()
    }


def test_without_anything_the_service_is_one_machine_that_listens_to_itself():
    config = _load()
    assert (config.api.host, config.api.port, config.ray.address) == ("127.0.0.1", 8000, None)
    assert config.store_url == str(Path("guardray-data", "findings.db"))
    assert config.checkpoints_url == str(Path("guardray-data", "checkpoints"))


def test_an_option_wins_over_a_variable_and_a_variable_over_the_file(tmp_path):
    path = _written(tmp_path, "api: {host: 10.0.0.1, port: 1, metrics: open}")
    config = _load(path, {"api": {"port": 3, "host": None}}, GUARDRAY_API__PORT="2", GUARDRAY_API__HOST="10.0.0.2")
    assert (config.api.host, config.api.port, config.api.metrics) == ("10.0.0.2", 3, "open")


def test_lists_in_variables_are_json():
    assert [source.url for source in _load(GUARDRAY_SOURCES='["s3://a", {"url": "s3://b"}]').sources] == [
        "s3://a",
        "s3://b",
    ]
    with pytest.raises(UsageError, match="GUARDRAY_SOURCES: is no JSON"):
        _load(GUARDRAY_SOURCES="s3://a")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("data: here\nsorces: []", 2, "sorces: there is no such setting"),
        ("api:\n  host: a\n  prot: 1", 3, "api.prot: there is no such setting"),
        ("api:\n  port: 70000", 2, "api.port: Input should be less than or equal to 65535"),
        ("ingest:\n  min: 3\n  max: 2", 1, "ingest: max is 2, below min, which is 3"),
        ("checkpoint:\n  kept: 1", 2, "checkpoint.kept: Input should be greater than or equal to 2"),
        ("patience:\n  lateness: soon", 2, "patience.lateness: is no span of time"),
        ("epoch:\n  interval: 0s", 2, "epoch.interval: Input should be greater than"),
        (
            "sources:\n  - s3://a\n  - url: s3://b\n    options: {speed: 1}",
            4,
            r"sources\[1\].options.speed: there is no",
        ),
        ("sources:\n  - options: {}", 2, r"sources\[0\].url: is missing"),
        ("events:\n  accounts: ['12']", 2, r"events.accounts\[0\]: String should match"),
        ("events:\n  since: 2026-11-01 00:00:00", 1, "events: since has no time zone"),
        ("store: ''", 1, "store: is empty"),
        ("- data", 1, "is no mapping of settings"),
        ("data: a\ndata: b", 2, "'data' is there twice"),
    ],
)
def test_what_cannot_be_is_refused_with_file_line_and_reason(tmp_path, text, line, reason):
    path = _written(tmp_path, text)
    with pytest.raises(UsageError, match=f"guardray.yaml, line {line}: {reason}"):
        _load(path)


def test_what_a_variable_or_an_option_says_is_refused_by_its_name(tmp_path):
    path = _written(tmp_path, "api: {port: 1}")
    with pytest.raises(UsageError, match=r"^GUARDRAY_API__PROT: there is no such setting"):
        _load(path, GUARDRAY_API__PROT="1")
    with pytest.raises(UsageError, match=r"^GUARDRAY_API__PORT: Input should be a valid integer"):
        _load(path, {"api": {"host": "::1"}}, GUARDRAY_API__PORT="x")
    with pytest.raises(UsageError, match=r"^api\.port: Input should be less"):
        _load(path, {"api": {"port": 99999}})


def test_a_variable_that_is_no_setting_is_told_and_those_of_others_are_not():
    loaded = load_config(None, None, {"GUARDRAY_SORCES": "[]", "GUARDRAY_SEAL_KEY": "x", "GUARDRAY_DATA": "here"})
    assert loaded == Loaded(
        ServeConfig(data=Path("here")), ("the environment variable GUARDRAY_SORCES is no setting of the service",)
    )


def test_paths_in_a_file_start_at_its_folder_and_urls_stay(tmp_path):
    text = """
        data: state
        store: findings.db
        checkpoints: s3://bucket/state
        intel: intel.yaml
        geo: [a.mmdb, /b.mmdb]
        sources: [logs, "spool:sent", s3://logs/AWSLogs, {url: more, options: {still: 2s}}]
        api: {tls: {certfile: a.pem, keyfile: a.key}}
    """
    config = _load(_written(tmp_path, text))
    assert (config.data, config.intel) == (tmp_path / "state", tmp_path / "intel.yaml")
    assert (config.store_url, config.checkpoints_url) == (str(tmp_path / "findings.db"), "s3://bucket/state")
    assert config.geo == (tmp_path / "a.mmdb", Path("/b.mmdb"))
    assert [source.url for source in config.sources] == [
        f"{tmp_path}/logs",
        f"spool:{tmp_path}/sent",
        "s3://logs/AWSLogs",
        f"{tmp_path}/more",
    ]
    assert config.api.tls is not None
    assert config.api.tls.keyfile == tmp_path / "a.key"


def test_a_password_in_the_file_is_refused_and_not_printed(tmp_path):
    path = _written(tmp_path, "store: postgresql://guardray:hunter2@db/guardray")
    with pytest.raises(UsageError, match="has a password") as refused:
        _load(path)
    assert "hunter2" not in str(refused.value)


def test_a_password_comes_from_a_file_or_a_variable_and_is_not_shown(tmp_path, monkeypatch):
    url = "postgresql://guardray:hunter2@db/guardray"
    (tmp_path / "store-url").write_text(f"{url}\n", encoding="utf-8")
    monkeypatch.setenv("STORE_URL", url)
    for text in ("store: {file: store-url}", "store: {env: STORE_URL}"):
        config = _load(_written(tmp_path, text))
        assert config.store_url == url
        assert "hunter2" not in repr(config)
    assert _load(GUARDRAY_STORE=url).store_url == url


def test_a_secret_that_is_not_there_is_told_with_its_line(tmp_path):
    with pytest.raises(UsageError, match=r"line 2: store: the secret in .*nowhere cannot be read"):
        _load(_written(tmp_path, "data: here\nstore: {file: nowhere}"))
    with pytest.raises(UsageError, match="line 1: store: "):
        _load(_written(tmp_path, "store: {path: nowhere}"))


def test_sources_open_with_the_options_that_the_file_gives(tmp_path):
    (tmp_path / "logs").mkdir()
    config = _load(_written(tmp_path, "sources: [{url: logs, options: {still: 2s, look_interval: 1m}}]"))
    (source,) = config.sources
    assert source.options.given() == {"still": timedelta(seconds=2), "look_interval": timedelta(minutes=1)}
    assert isinstance(open_source(source.url, **source.options.given()), FolderSource)


def test_sources_are_asked_for_the_accounts_regions_and_times_that_are_wanted(tmp_path):
    (tmp_path / "logs").mkdir()
    text = """
        sources: [logs, spool:sent]
        events: {accounts: ["111122223333"], regions: [eu-west-1], since: 2026-11-01T00:00:00Z}
    """
    config = _load(_written(tmp_path, text))
    folder, spool = config.sources
    assert config.options_of(folder)["key_filter"] == KeyFilter(
        since=datetime(2026, 11, 1, tzinfo=UTC),
        account_ids=frozenset({"111122223333"}),
        regions=frozenset({"eu-west-1"}),
    )
    assert [open_source(one.url, **config.options_of(one)).name for one in (folder, spool)]


def test_the_spool_lies_in_the_data_folder_with_its_limits(tmp_path):
    config = _load(None, {"data": tmp_path, "spool": {"max_objects": 7}})
    assert (config.spool_config.path, config.spool_config.max_objects) == (tmp_path / "spool", 7)
    Spool(config.spool_config)


def test_ray_is_told_to_ask_for_a_token_to_notice_death_soon_to_be_patient_and_to_keep_what_it_knows():
    variables = _load(None).ray_environment(Path("/srv/guardray/ray/own"))
    assert variables == {
        "RAY_AUTH_MODE": "token",
        "RAY_health_check_initial_delay_ms": "0",
        "RAY_health_check_period_ms": "500",
        "RAY_health_check_timeout_ms": "500",
        "RAY_health_check_failure_threshold": "3",
        "RAY_task_events_report_interval_ms": "0",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "30",
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_gcs_storage": "rocksdb",
        "RAY_gcs_storage_path": "/srv/guardray/ray/own/gcs",
    }
    assert "RAY_gcs_storage" not in _load(None, {"ray": {"gcs_storage": "memory"}}).ray_environment(Path("own"))


def test_state_may_take_half_of_what_the_shards_may_unless_told():
    assert _load(None, {"shards": {"max": 4}, "memory": {"shard_mb": 1000}}).budget_mb == 4 * 1000 // 2
    assert _load(None, {"memory": {"budget_mb": 300}}).budget_mb == 300


def test_the_environment_of_the_process_is_taken_where_none_is_passed(monkeypatch):
    for name in [name for name in os.environ if name.startswith("GUARDRAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GUARDRAY_API__PORT", "8443")
    assert load_config().config.api.port == 8443


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "min", "tls", "x"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(ServeConfig.model_fields)), _PLAIN, max_size=3))
def test_whatever_a_file_says_it_is_a_configuration_or_one_error_that_names_the_file(tmp_path_factory, told):
    path = _written(tmp_path_factory.mktemp("any"), json.dumps(told))
    refused = None
    try:
        _load(path)
    except UsageError as error:
        refused = str(error)
    assert refused is None or refused.startswith(str(path))
