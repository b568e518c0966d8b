"""Logs are events with fields, hold no secret, and cannot be forged by what others wrote."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from guardray.service.logging import SECRET, LogFormat, bound, configure, get_logger, without_secrets


@pytest.fixture
def log():
    """What is logged, and what was logged before the test afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lines(log):
    configure(LogFormat.JSON, stream=log)
    return lambda: [json.loads(line) for line in log.getvalue().splitlines()]


class TestJson:
    def test_an_event_has_its_fields_level_time_and_logger(self, lines):
        get_logger("guardray.service").info("epoch committed", epoch=7, findings=3)
        (event,) = lines()
        assert event.pop("time").endswith("Z")
        assert event == {
            "event": "epoch committed",
            "epoch": 7,
            "findings": 3,
            "level": "info",
            "logger": "guardray.service",
        }

    def test_account_source_and_epoch_are_in_all_that_is_said_inside(self, lines):
        with bound(account="111122223333", source="s3://logs", epoch=7):
            get_logger("a").info("reading")
            logging.getLogger("b").warning("slow")
        get_logger("a").info("idle")
        inside = {"account": "111122223333", "source": "s3://logs", "epoch": 7}
        first, second, last = lines()
        assert first.items() >= inside.items()
        assert second.items() >= inside.items()
        assert "epoch" not in last

    def test_a_loggers_own_fields_are_in_all_that_it_says(self, lines):
        get_logger("a", shard=3).info("started")
        assert lines()[0]["shard"] == 3

    def test_what_libraries_log_has_the_same_form_and_their_fields(self, lines):
        logging.getLogger("guardray.api.core").warning("request %s", "failed", extra={"request_id": "r-1"})
        (event,) = lines()
        assert (event["event"], event["level"], event["request_id"]) == ("request failed", "warning", "r-1")

    def test_an_exception_is_one_line_with_its_traceback(self, lines):
        try:
            raise ValueError("no room")
        except ValueError:
            get_logger("a").exception("checkpoint failed")
        (event,) = lines()
        assert event["exception"].endswith("ValueError: no room")

    def test_talkative_libraries_are_heard_when_something_is_wrong(self, lines):
        for level in (logging.INFO, logging.WARNING):
            logging.getLogger("botocore.hooks").log(level, "said")
        assert len(lines()) == 1

    @given(text=st.text())
    def test_whatever_is_logged_is_one_line(self, text):
        stream = io.StringIO()
        configure(LogFormat.JSON, stream=stream)
        try:
            get_logger("a").info(text, place=text)
            assert len(stream.getvalue().splitlines()) == 1
        finally:
            logging.getLogger().handlers[:] = []
            structlog.reset_defaults()


class TestConsole:
    def test_an_event_is_a_line_for_people(self, log):
        configure(LogFormat.CONSOLE, stream=log)
        get_logger("a").warning("object set aside", source="s3://logs", reason="no log")
        line = log.getvalue()
        assert line.endswith(" warning  object set aside  reason='no log' source=s3://logs\n")

    def test_an_event_that_holds_a_line_end_or_an_escape_does_not_begin_a_line_or_control_the_terminal(self, log):
        configure(LogFormat.CONSOLE, stream=log)
        get_logger("a").info("read \x1b[2J\nforged", key="a\nb\x1b")
        assert len(log.getvalue().splitlines()) == 1
        assert "\x1b" not in log.getvalue()

    def test_a_traceback_follows_its_line(self, log):
        configure(LogFormat.CONSOLE, stream=log)
        try:
            raise ValueError("no room")
        except ValueError:
            get_logger("a").exception("checkpoint failed")
        first, *_, last = log.getvalue().splitlines()
        assert first.endswith("error    checkpoint failed")
        assert last == "ValueError: no room"


class TestSecrets:
    @pytest.mark.parametrize(
        "name", ["secret", "SecretAccessKey", "password", "authorization", "session_token", "sealing_key", "signature"]
    )
    def test_a_field_that_is_named_like_one_is_not_written(self, name):
        assert without_secrets(None, "", {name: "hush", "deep": {name: ["hush"]}}) == {
            name: SECRET,
            "deep": {name: SECRET},
        }

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("postgresql://guard:hush@db/x: refused", f"postgresql://guard:{SECRET}@db/x: refused"),
            ("GET /?X-Amz-Signature=hush&a=b", f"GET /?X-Amz-Signature={SECRET}&a=b"),
            ("sent Bearer GRT1.hush to it", f"sent Bearer {SECRET} to it"),
        ],
    )
    def test_one_in_a_text_is_not_written(self, text, written):
        assert without_secrets(None, "", {"event": text, "all": [text]}) == {"event": written, "all": [written]}

    @pytest.mark.parametrize("text", ["s3://bucket/a:b@c", "arn:aws:iam::111122223333:role/x@y", "12:30 a@b.example"])
    def test_what_is_none_stays(self, text):
        assert without_secrets(None, "", {"event": text}) == {"event": text}

    def test_one_in_a_traceback_is_not_written(self, lines):
        try:
            raise ValueError("cannot reach postgresql://guard:hush@db")
        except ValueError:
            get_logger("a").exception("failed")
        assert "hush" not in lines()[0]["exception"]
