"""FindingCriteria as operations take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.api.errors import bad_request
from guardray.store.criteria import Criteria, parse_criteria


def read_criteria(given: Mapping[str, Any] | None, *, wildcards: bool) -> Criteria:
    """The conditions. A list without values is refused: it would be an oversight, and match nothing.

    Args:
        wildcards: `matches` and `notMatches` are allowed, as in filters.

    Raises:
        ApiError, QueryRefusedError: they are not such as can be asked.
    """
    for attribute, operators in (given or {}).get("Criterion", {}).items():
        if any(operand == [] for operand in operators.values()):
            raise bad_request(f"the parameter findingCriteria gives no values for {attribute[:300]}")
    return parse_criteria(given, wildcards=wildcards)
