"""The notebook about detectors, run on a simulated account: what it writes is what a scan would load."""

from __future__ import annotations

import pytest

from guardray.rulebook.loading import load_own
from tests.notebooks.running import notebook, run, shown

pytestmark = pytest.mark.slow


def test_a_detector_is_written_tried_and_put_in_force(environment, tmp_path):
    folder = tmp_path / "detections"
    texts = "\n".join(shown(run(notebook("04"), environment | {"GUARDRAY_DETECTIONS": str(folder)})))
    assert "uma makes a key" in texts
    own = load_own([folder])
    assert own.problems == []
    assert [one.finding_type for one in own.detectors] == ["Persistence:IAMUser/WayBackIn"]
