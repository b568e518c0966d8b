"""What each operation does, one module a family."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from guardray.api.call import Handler
from guardray.api.operations import detectors, lists, tagging

HANDLERS: Mapping[str, Handler] = dict(
    chain.from_iterable(module.HANDLERS.items() for module in (detectors, lists, tagging))
)
"""Every operation of the model by its name."""
