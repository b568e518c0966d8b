"""The notebook about models, run on a cluster that is there already."""

from __future__ import annotations

import shutil

import pytest
import ray

from guardray.tuning.workspace import Workspace
from tests.notebooks.conftest import ACCOUNTS
from tests.notebooks.running import notebook, run, shown

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.mark.usefixtures("ray_cluster")
def test_models_are_tried_on_a_cluster_by_its_address_and_the_best_is_put_in_force(environment, simulated, tmp_path):
    shutil.copytree(simulated, tmp_path / "own")
    own = {
        "GUARDRAY_SIMULATED": str(tmp_path / "own"),
        "GUARDRAY_RAY_ADDRESS": ray.get_runtime_context().gcs_address,
        "GUARDRAY_MODELS": "robust tails",
    }
    texts = "\n".join(shown(run(notebook("02"), environment | own)))
    for told in ("config/model", "robust", "tails", "recall_kept", "in_force"):
        assert told in texts
    in_force = Workspace.simulated(tmp_path / "own", accounts=ACCOUNTS).registry.promotions().history
    assert in_force[-1].family == "management-calls"
    assert in_force[-1].by == "notebook"
