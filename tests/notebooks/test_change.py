"""The notebook about changes, run on a simulated account."""

from __future__ import annotations

import pytest

from tests.notebooks.running import notebook, run, shown

pytestmark = pytest.mark.slow


def test_a_change_is_tried_on_past_weeks(environment):
    texts = "\n".join(shown(run(notebook("03"), environment)))
    assert "28 days from 05 January 2026 on" in texts
    for told in ("LOOKING_AROUND", "appears", "vanishes", "harmless"):
        assert told in texts
