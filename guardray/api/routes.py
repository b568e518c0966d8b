"""From the raw path of a request to the operation: decoded only once it is cut, as names may hold encoded slashes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from guardray.api.errors import ApiError, bad_request, unknown_operation
from guardray.api.model import operations


@dataclass(frozen=True)
class Match:
    """The operation that a request is for.

    Attributes:
        arguments: the parts of the path that are parameters, decoded, by their wire names.
    """

    operation: str
    arguments: dict[str, str]


def match(method: str, raw_path: str) -> Match:
    """The operation of a method and a percent-encoded path.

    Raises:
        ApiError: there is none, or a parameter in the path is empty.
    """
    segments = tuple(raw_path.removeprefix("/").split("/"))
    for operation, template in _templates().get((method, len(segments)), ()):
        if _fits(template, segments):
            return Match(operation, dict(_arguments(template, segments)))
    raise _refusal(method, raw_path, segments)


def _arguments(template: tuple[str, ...], segments: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for part, segment in zip(template, segments, strict=True):
        if part.startswith("{"):
            if not segment:
                raise bad_request(f"the path parameter {part[1:-1]} is empty")
            yield part[1:-1], _decoded(segment)


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise bad_request("its path is not UTF-8") from None


def _fits(template: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    return all(part == segment or part.startswith("{") for part, segment in zip(template, segments, strict=True))


def _refusal(method: str, raw_path: str, segments: tuple[str, ...]) -> ApiError:
    """A path that some other method has is told of as the wrong method."""
    others = {
        other
        for (other, length), templates in _templates().items()
        if length == len(segments) and any(_fits(template, segments) for _, template in templates)
    }
    if others and all(segments):
        return unknown_operation(method, raw_path)
    return bad_request("a part of its path is empty") if others else unknown_operation(method, raw_path)


@cache
def _templates() -> dict[tuple[str, int], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Operations by method and number of segments; those with fewer parameters come first."""
    found: dict[tuple[str, int], list[tuple[str, tuple[str, ...]]]] = {}
    for name, operation in operations().items():
        template = tuple(operation.http["requestUri"].partition("?")[0].removeprefix("/").split("/"))
        found.setdefault((operation.http["method"], len(template)), []).append((name, template))
    return {
        key: tuple(sorted(routes, key=lambda route: sum(part.startswith("{") for part in route[1])))
        for key, routes in found.items()
    }
