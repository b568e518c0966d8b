"""Logs of the service: events with fields, as JSON lines or for a console, with what they belong to bound once.

Standard error is their only place. What libraries log through `logging` comes out in the same form.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, TextIO

import structlog

SECRET = "[secret]"
"""Stands where something was that no log may hold."""

_SECRET_NAMES = re.compile(r"secret|password|passwd|authorization|(^|_)token|sealing_?key|signature|credential", re.I)

_SECRET_TEXTS = (
    (re.compile(r"(://[^:/?#\s]*:)[^@/?#\s]+(?=@)"), rf"\g<1>{SECRET}"),  # the password of a URL
    (re.compile(r"(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s\"']+", re.I), rf"\g<1>{SECRET}"),
    (re.compile(r"\b(Bearer\s+)\S+", re.I), rf"\g<1>{SECRET}"),
)

_QUIET = ("botocore", "boto3", "urllib3", "s3transfer", "watchfiles", "uvicorn.access", "sqlalchemy", "alembic")
"""Libraries of which only warnings are of interest."""

_Event = MutableMapping[str, Any]
_Processor = Callable[[Any, str, _Event], Mapping[str, Any] | str | bytes | bytearray | tuple[Any, ...]]


class LogFormat(StrEnum):
    """How logs are written."""

    JSON = "json"
    CONSOLE = "console"


def configure(format_: LogFormat, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Make this process log so. To be called once in each process, before it starts threads.

    Args:
        stream: where to, if not to standard error.
    """
    shared: list[_Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a second `configure`, as in tests, is to hold for loggers of before
    )
    of_libraries: list[_Processor] = [*shared, structlog.stdlib.ExtraAdder()]
    render: _Processor = (
        structlog.processors.JSONRenderer(sort_keys=True) if format_ is LogFormat.JSON else console_line
    )
    ending = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_secrets, render]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=of_libraries, processors=ending))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def get_logger(name: str, **fields: Any) -> structlog.stdlib.BoundLogger:
    """A logger with these fields in all that it says.

    Args:
        name: of the part of the program, such as `guardray.service.coordinator`.
    """
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger.bind(**fields) if fields else logger


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Puts fields, such as `account`, `source` and `epoch`, into all that is logged inside, by whatever logger.

    They hold in this thread or task, and not in those that it starts.
    """
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def without_secrets(logger: Any, method: str, event: _Event) -> _Event:
    """The event with `SECRET` in place of fields that are named like one, and of passwords, tokens and signatures in
    the texts of all others, however deep."""
    return {name: SECRET if _SECRET_NAMES.search(name) else _cleaned(value) for name, value in event.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return without_secrets(None, "", {str(name): part for name, part in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(part) for part in value]
    if isinstance(value, bool | int | float | None):
        return value
    text = str(value)
    for pattern, harmless in _SECRET_TEXTS:
        text = pattern.sub(harmless, text)
    return text


def console_line(logger: Any, method: str, event: _Event) -> str:
    """Time, level, event and fields in one line; only a traceback takes more."""
    fields = dict(event)
    time, level, text = (str(fields.pop(name, "")) for name in ("time", "level", "event"))
    trace = fields.pop("exception", None)
    fields.pop("logger", None)
    told = " ".join(f"{name}={_shown(value)}" for name, value in sorted(fields.items()))
    line = f"{time} {level:<8} {_printable(text)}{'  ' if told else ''}{told}"
    return line if trace is None else "\n".join([line, *map(_printable, str(trace).split("\n"))])


def _shown(value: Any) -> str:
    text = str(value)
    return text if re.fullmatch(r"[!-<>-~]+", text) else repr(text)


def _printable(text: str) -> str:
    """Without characters that control a terminal or begin a line of their own: logs hold what others wrote."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
