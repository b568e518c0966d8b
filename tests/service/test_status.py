"""What a status says of whether the service works, and what becomes of it in the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from service_examples import RUNNING, STARTING, TOLD_AT, stopped

from guardray.errors import StoreError
from guardray.service.status import FRESH, Phase, decoded, encoded

MOMENT = timedelta(milliseconds=1)


@pytest.mark.parametrize("status", [RUNNING, STARTING, stopped()], ids=["whole", "least", "stopped"])
def test_a_status_is_read_back_as_it_was_written(status):
    assert decoded(encoded(status)) == status


def test_a_service_that_was_heard_of_is_ready_until_its_status_is_too_old():
    assert RUNNING.not_ready(TOLD_AT + FRESH) is None
    assert RUNNING.not_ready(TOLD_AT + FRESH + MOMENT) == "nothing was heard of the service for 15 s"


def test_clocks_that_differ_make_no_status_old():
    assert RUNNING.not_ready(TOLD_AT - timedelta(hours=1)) is None


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.RESTORING, Phase.DRAINING])
def test_a_service_that_does_something_else_is_not_ready(phase):
    assert replace(RUNNING, phase=phase).not_ready(TOLD_AT) == f"the service is {phase}"


def test_a_service_that_has_stopped_is_not_looked_for():
    assert stopped().not_ready(TOLD_AT + timedelta(days=1)) == "the service has stopped"


def test_what_a_newer_program_tells_is_left_out():
    content = msgspec.json.decode(encoded(RUNNING)) | {"mood": "good"}
    assert decoded(msgspec.json.encode(content).decode()) == RUNNING


@pytest.mark.parametrize("content", ["", "[]", '{"phase": "running"}', encoded(RUNNING).replace("running", "asleep")])
def test_what_is_no_status_is_told_of(content):
    with pytest.raises(StoreError, match="the status of the service cannot be read"):
        decoded(content)
