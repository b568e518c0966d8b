"""Parts of the service that cannot begin."""

from __future__ import annotations

import pytest

from guardray.errors import UsageError
from guardray.runtime.service import start_coordinator
from guardray.service.config import ServeConfig

pytestmark = pytest.mark.ray


def test_a_coordinator_that_cannot_begin_says_why_in_one_line(ray_cluster, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    config = ServeConfig(data=tmp_path, store=str(tmp_path / "file" / "findings.db"))
    with pytest.raises(UsageError) as refused:
        start_coordinator(config)
    assert str(config.store) in str(refused.value)
    assert "\n" not in str(refused.value)
