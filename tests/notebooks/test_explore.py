"""The notebook about baselines, run: on simulated accounts, and beside a service."""

from __future__ import annotations

import pytest

from tests.notebooks.running import notebook, run, shown

pytestmark = pytest.mark.slow

EXPLORE = notebook("01")


def test_a_baseline_can_be_explored_on_simulated_accounts(environment):
    texts = "\n".join(shown(run(EXPLORE, environment)))
    for told in ("actor_principal", "aws-cli", "anomaly", "AnomalousBehavior", "seldom above"):
        assert told in texts
