"""What each operation does, one module a family."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from guardray.api.call import Handler
from guardray.api.operations import (
    destinations,
    detectors,
    filters,
    findings,
    invitations,
    lists,
    members,
    organisation,
    rules,
    samples,
    tagging,
    unavailable,
    usage,
)

_FAMILIES = (
    destinations,
    detectors,
    filters,
    findings,
    invitations,
    lists,
    members,
    organisation,
    rules,
    samples,
    tagging,
    unavailable,
    usage,
)

HANDLERS: Mapping[str, Handler] = dict(chain.from_iterable(family.HANDLERS.items() for family in _FAMILIES))
"""Every operation of the model by its name."""
