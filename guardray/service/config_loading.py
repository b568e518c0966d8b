"""Where the service's configuration is from: a YAML file, then the environment, then options; the last one wins."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from guardray.custom.yaml_text import Document, read_document
from guardray.errors import UsageError
from guardray.publish.secrets import Secret
from guardray.service.config import PREFIX, ServeConfig

_OTHERS = frozenset({"GUARDRAY_SEAL_KEY"})
"""Variables that are read elsewhere."""


@dataclass(frozen=True)
class Loaded:
    """A configuration, and what to tell of where it is from: variables that look like settings and are none."""

    config: ServeConfig
    notices: tuple[str, ...] = ()


def load_config(
    path: Path | None = None,
    options: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """The configuration of a file, the environment and options of the command.

    Args:
        path: a YAML file; paths in it start at its folder.
        options: by the names of `ServeConfig`, nested as they are there; None is what was not given.
        environment: variables, those of this process if not given: `GUARDRAY_API__PORT` is `port` of `api`, and lists
            are written as JSON.

    Raises:
        UsageError: a key is unknown or a value cannot be; file and line, variable or option, and reason are named.
    """
    environment = os.environ if environment is None else environment
    document = None if path is None else read_document(path)
    layers = {
        "option": _without_none(options or {}),
        "variable": _of_environment(environment),
        "file": {} if document is None else _of_file(document),
    }
    values: dict[str, Any] = {}
    for layer in reversed(layers.values()):
        values = _merged(values, layer)
    try:
        config = ServeConfig(**values)
    except ValidationError as error:
        raise _as_usage_error(error, layers, document) from None
    return Loaded(config, tuple(_unknown_variables(environment)))


def _of_file(document: Document) -> dict[str, Any]:
    """What a file says, with its paths beginning at its folder and its secrets read."""
    if document.value is None:
        return {}
    if not isinstance(document.value, dict) or not all(isinstance(key, str) for key in document.value):
        raise document.error("is no mapping of settings")
    return {key: _PLACED.get(key, _as_it_is)(document, value) for key, value in document.value.items()}


def _as_it_is(document: Document, value: Any) -> Any:
    return value


def _path(document: Document, value: Any) -> Any:
    return document.path.parent / value if isinstance(value, str) else value


def _paths(document: Document, value: Any) -> Any:
    return [_path(document, one) for one in value] if isinstance(value, list) else value


def _api(document: Document, api: Any) -> Any:
    if not isinstance(api, dict) or not isinstance(api.get("tls"), dict):
        return api
    return api | {"tls": {key: _path(document, one) for key, one in api["tls"].items()}}


def _sources(document: Document, sources: Any) -> Any:
    return [_source(document, one) for one in sources] if isinstance(sources, list) else sources


def _source(document: Document, source: Any) -> Any:
    if isinstance(source, dict) and "url" in source:
        return source | {"url": _place(document, source["url"])}
    return _place(document, source)


def _place(document: Document, url: Any) -> Any:
    """A path from the file's folder, or a URL as it is."""
    if not isinstance(url, str) or not url or "://" in url:
        return url
    spool = "spool:" if url.startswith("spool:") else ""
    return spool + str(document.path.parent / url.removeprefix(spool))


def _store(document: Document, store: Any) -> Any:
    if isinstance(store, dict):
        try:
            return msgspec.convert(store, Secret).read(document.path.parent)
        except (UsageError, msgspec.ValidationError) as error:
            raise document.error(f"store: {error}", "$.store") from None
    if isinstance(store, str) and "://" in store and urlsplit(store).password is not None:
        instead = "put the URL into the variable GUARDRAY_STORE, or say store: {file: PATH} or {env: NAME}"
        raise document.error(f"store: has a password, which readers of this file would have: {instead}", "$.store")
    return _place(document, store)


_PLACED: Mapping[str, Callable[[Document, Any], Any]] = {
    **dict.fromkeys(("data", "intel", "aws_ranges", "baseline", "publish"), _path),
    **dict.fromkeys(("threat_lists", "trusted_lists", "inventory", "geo", "detections"), _paths),
    "sources": _sources,
    "checkpoints": _place,
    "store": _store,
    "api": _api,
}
"""What becomes of values that name places."""


def _of_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    try:
        return _Variables(environment)()
    except SettingsError as error:
        name = str(error).partition('field "')[2].partition('"')[0]
        raise UsageError(
            f"{PREFIX}{name.upper()}: is no JSON, which lists and groups of settings are written in"
        ) from None


class _Variables(EnvSettingsSource):
    """The settings that an environment has."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {name.lower(): value for name, value in environment.items()}
        super().__init__(ServeConfig)

    def _load_env_vars(self) -> Mapping[str, str]:
        return self._environment


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {PREFIX + name.upper() for name in ServeConfig.model_fields}
    return [
        f"the environment variable {name} is no setting of the service"
        for name in sorted(environment)
        if name.upper().startswith(PREFIX) and name not in _OTHERS and name.upper().partition("__")[0] not in known
    ]


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: _without_none(value) if isinstance(value, Mapping) else value for key, value in options.items()}
    return {key: value for key, value in given.items() if value is not None and value != {}}


def _merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Both, with groups merged key by key and everything else taken from the upper one where it has it."""
    both = dict(lower)
    for key, value in upper.items():
        below = both.get(key)
        both[key] = _merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return both


def _as_usage_error(
    error: ValidationError, layers: Mapping[str, Mapping[str, Any]], document: Document | None
) -> UsageError:
    """The first thing that is wrong, with the place it was written at."""
    first = error.errors(include_url=False, include_input=False)[0]
    steps = tuple(step for step in first["loc"])
    reason = _REASONS.get(first["type"], lambda: first["msg"].removeprefix("Value error, "))()
    name = _dotted(steps)
    origin = _origin(layers, steps)
    if origin == "variable":
        return UsageError(
            f"{PREFIX}{'__'.join(str(step) for step in steps if isinstance(step, str)).upper()}: {reason}"
        )
    if origin == "option" or document is None:
        return UsageError(f"{name}: {reason}")
    written = [steps[:length] for length in range(len(steps), 0, -1) if _holds(document.value, steps[:length])]
    return document.error(f"{name}: {reason}", f"$.{_dotted(written[0])}" if written else "$")


_REASONS: Mapping[str, Callable[[], str]] = {
    "extra_forbidden": lambda: "there is no such setting",
    "missing": lambda: "is missing",
}
"""Of kinds of errors whose own words say less."""


def _dotted(steps: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _holds(values: Any, steps: tuple[int | str, ...]) -> bool:
    """Whether there is a value at that place."""
    for step in steps:
        if isinstance(values, Mapping):
            if step not in values:
                return False
            values = values[step]
        elif isinstance(values, list | tuple) and isinstance(step, int) and step < len(values):
            values = values[step]
        else:
            return False
    return True


def _origin(layers: Mapping[str, Mapping[str, Any]], steps: tuple[int | str, ...]) -> str:
    """The layer that has a value there or, where something is missing, the group or list that lacks it."""
    for place in (steps, steps[:-1]):
        for layer, values in layers.items():
            if place and _holds(values, place):
                return layer
    return "file"
