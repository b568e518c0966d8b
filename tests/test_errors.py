from __future__ import annotations

import pickle

import pytest

from guardray.errors import DetectorError, FeedError, LeftOutError, SnapshotError, SourceError


@pytest.mark.parametrize("kind", [SourceError, DetectorError, LeftOutError, FeedError, SnapshotError])
def test_an_error_with_a_place_survives_the_way_between_processes(kind):
    error = pickle.loads(pickle.dumps(kind("logs/trail.gz", "truncated")))
    assert type(error) is kind
    assert str(error) == "logs/trail.gz: truncated"
    assert error.reason == "truncated"
