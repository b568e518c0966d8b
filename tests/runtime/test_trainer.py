"""The trainer of a service, asked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from guardray.detectors.iam.anomalous_behavior import SPEC
from guardray.errors import UsageError
from guardray.models.archive import Archive
from guardray.models.registry import Registry
from guardray.runtime.service import TRAINER, stop_actor
from guardray.runtime.trainer import start_trainer, train_now
from guardray.service.config import ServeConfig
from guardray.service.training import has_failed

pytestmark = pytest.mark.ray

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
DAYS, ROWS = 9, 12


@pytest.fixture
def config(tmp_path: Path) -> Iterator[ServeConfig]:
    """A service that has seen nine days, which is too few to train by itself."""
    archive, rng = Archive(tmp_path / "archive"), np.random.default_rng(0)
    for day in range(DAYS):
        values = {name: rng.exponential(1.0, ROWS) for name in SPEC.names}
        whose = dict.fromkeys(SPEC.whose, ["111122223333"] * ROWS)
        at = {"window_start": [FIRST + timedelta(days=day)] * ROWS}
        digests = {"digest": pl.Series(np.arange(ROWS) + day * 100, dtype=pl.UInt64)}
        archive.add(SPEC, pl.DataFrame(whose | at | digests | values))
    yield ServeConfig(data=tmp_path)
    stop_actor(TRAINER)


def test_it_trains_when_it_is_asked_whatever_is_due(ray_cluster: None, config: ServeConfig):
    start_trainer(config)
    (told,) = train_now()
    assert f"{SPEC.name}: it was asked for" in told
    assert Registry(config.models_folder).cards(SPEC.name)[0]


def test_a_training_that_takes_too_much_memory_is_given_up_and_changes_nothing(ray_cluster: None, config: ServeConfig):
    start_trainer(config.model_copy(update={"memory": config.memory.model_copy(update={"other_mb": 1})}))
    (told,) = train_now()
    assert has_failed(told)
    assert not Registry(config.models_folder).cards(SPEC.name)[0]


def test_where_there_is_none_that_is_said(ray_cluster: None):
    with pytest.raises(UsageError, match="no service with a trainer"):
        train_now()
