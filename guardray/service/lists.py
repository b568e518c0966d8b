"""The lists of the configuration, put into use for all processes of a service."""

from __future__ import annotations

from collections.abc import Iterator

from guardray.intel.upkeep import Library
from guardray.service.config import ServeConfig


def put_lists_into_use(config: ServeConfig) -> Iterator[str]:
    """Fetches the feeds, adds the lists, and makes them those in use; then what there is to tell of it."""
    library = Library(config.data)
    if config.intel is not None:
        outcomes, notices = library.update(config.intel, offline=config.offline)
        yield from (f"{one.name}: {one.reason}" for one in outcomes if one.reason)
        yield from notices
    for paths, trusted in ((config.threat_lists, False), (config.trusted_lists, True)):
        for path in paths:
            _, notices = library.add(path, name=path.stem, trusted=trusted)
            yield from notices
