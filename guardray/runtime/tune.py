"""Ray Tune: the same trial with many settings, spread over a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from guardray.runtime.cluster import cluster

if TYPE_CHECKING:
    import pandas as pd

Trial = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From settings by name to what came of them by name. It travels to workers."""

SETTING = "config/"
"""Before the names of settings in the frame, as Ray Tune has them."""


def tried_all(
    trial: Trial, space: Mapping[str, Sequence[Any]], *, address: str | None = None, cpus: int | None = None
) -> pd.DataFrame:
    """Each combination of settings, tried once.

    Args:
        trial: what is tried.
        space: the values of each setting.
        address: of a running cluster, `auto` or `host:port`; None starts one on this machine.
        cpus: cores of a new cluster; None takes all.

    Returns:
        A row a trial: what the trial gave, its settings (`config/...`), and `error`, why it gave nothing.

    Raises:
        UsageError: there is no cluster at the address.
    """
    from ray import tune  # needs what only the extra `notebooks` brings

    def run(config: dict[str, Any]) -> None:
        tune.report(dict(trial(config)))

    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")  # nobody reads their files
    with cluster(address, cpus), TemporaryDirectory(prefix="guardray-tune-") as folder:
        tuner = tune.Tuner(
            run,
            param_space={name: tune.grid_search(list(values)) for name, values in space.items()},
            tune_config=tune.TuneConfig(reuse_actors=True),  # a process takes longer to start than most trials
            run_config=tune.RunConfig(storage_path=folder, verbose=0, progress_reporter=tune.CLIReporter()),
        )
        found = tuner.fit()
        results = [found[at] for at in range(len(found))]
    return _frame([{**(one.metrics or {}), "error": one.error, **_settings(one.config or {})} for one in results])


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{SETTING}{name}": value for name, value in config.items()}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd  # takes long to import, and only those need it who tune

    frame = pd.DataFrame(rows)
    of_tune = [name for name in _OF_TUNE if name in frame]
    return frame.drop(columns=of_tune)


_OF_TUNE = (
    "timestamp",
    "checkpoint_dir_name",
    "done",
    "training_iteration",
    "trial_id",
    "date",
    "time_this_iter_s",
    "time_total_s",
    "pid",
    "hostname",
    "node_ip",
    "config",
    "time_since_restore",
    "iterations_since_restore",
    "experiment_tag",
)
"""What Ray Tune says of where and when a trial ran."""
