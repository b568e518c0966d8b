"""The generators that stand for malware's."""

from __future__ import annotations

import re

import numpy as np
import pytest

from guardray.names.generators import SHARES, campaigns, generated

LABEL = re.compile(r"[a-z0-9]{3,63}")


@pytest.mark.parametrize("generator", SHARES, ids=lambda one: one.__name__)
def test_each_gives_labels_that_the_same_stream_gives_again(generator):
    first, again = (campaigns(np.random.default_rng(3), generator, 60, size=20) for _ in range(2))
    assert first == again
    assert len(first) == 60
    assert len(set(first)) > 40
    assert all(LABEL.fullmatch(label) for label in first)


def test_generators_have_their_shares():
    found = generated(seed=1, count=2000)
    assert 2000 <= len(found) <= 2000 + 50 * len(SHARES)
