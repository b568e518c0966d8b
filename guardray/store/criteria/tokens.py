"""Values as the table `finding_values` writes them: equal tokens are equal values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from guardray.store.criteria.attributes import INDEXED
from guardray.store.criteria.conditions import Condition, Operand, comparable, limited
from guardray.store.criteria.evaluation import values_at

_LONGEST = 100


def tokens_of(finding: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Attribute number and token of all indexed values of a finding in GuardDuty's JSON; some may come twice."""
    for attribute, number in INDEXED.items():
        for value in values_at(finding, attribute):
            yield number, _token(value)


def tokens_for(condition: Condition) -> set[str]:
    """The tokens of all values that `equals` is true for."""
    tokens = set()
    for operand in map(Operand.of, condition.operands):
        tokens |= {_token(text) for text in operand.texts}
        tokens |= {_token(value) for value in (operand.number, operand.truth) if value is not None}
    return tokens


def _token(value: Any) -> str:
    """The kind of the value and the value; of a long text its digest, as there is no room for it in an index."""
    if isinstance(value, bool):
        return f"b{int(value)}"
    if isinstance(value, int | float):
        return f"n{limited(value) + 0.0!r}"  # -0.0 is 0.0
    text = comparable(value)
    if len(text) <= _LONGEST:
        return f"s{text}"
    return f"d{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"
