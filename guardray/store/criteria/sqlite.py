"""What SQLite asks of this program: a condition on the JSON of one finding, where no column and no index knows it.

Walking JSON in SQL takes SQLite as long, and could not be held to the same answers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from guardray.store.criteria.conditions import Condition
from guardray.store.criteria.evaluation import holds

_decoder = msgspec.json.Decoder()


def encoded(condition: Condition) -> str:
    """The condition, without its negation, as `guardray_satisfies` takes it."""
    return msgspec.json.encode(
        [condition.attribute, condition.positive, list(condition.operands), condition.bound]
    ).decode()


def install(connection: Any) -> None:
    """Give a connection of the driver the function `guardray_satisfies(json, condition)`: 1 or 0."""
    connection.create_function("guardray_satisfies", 2, _satisfies, deterministic=True)


def _satisfies(json: str, condition: str) -> int:
    return int(holds(_decoded(condition), _decoder.decode(json)))


@lru_cache(maxsize=1024)
def _decoded(condition: str) -> Condition:
    attribute, operator, operands, bound = msgspec.json.decode(condition)
    return Condition(attribute, operator, tuple(operands), bound)
