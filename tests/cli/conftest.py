"""Fixtures of commands that look at feeds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from intel.feed_server import FeedServer, ok, running


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """A server of one list."""
    with running() as feeds:
        feeds.serve(ok("9.9.9.0/24\n"))
        yield feeds
