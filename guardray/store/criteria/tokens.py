"""Values as the table `finding_terms` writes them: equal tokens are equal values of one attribute."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from guardray.store.criteria.attributes import INDEXED
from guardray.store.criteria.conditions import Condition, Operand, clean, comparable, limited

_LONGEST = 100

Token = str
"""Number of an attribute, and a value of it with its kind."""

_Tree = dict[str, Any]


def _tree_of(attributes: Mapping[str, int]) -> _Tree:
    """The attributes' paths by segment, so that each part of a finding is looked at once for all of them."""
    tree: _Tree = {}
    for attribute, number in attributes.items():
        *path, last = attribute.split(".")
        node = tree
        for segment in path:
            node = node.setdefault(segment, {})
        node[last] = number
    return tree


_TREE = _tree_of(INDEXED)


def tokens_of(finding: Mapping[str, Any]) -> set[Token]:
    """The tokens of all indexed values of a finding in GuardDuty's JSON."""
    tokens: set[Token] = set()
    _gather(finding, _TREE, tokens)
    return tokens


def _gather(node: Mapping[str, Any], tree: _Tree, tokens: set[Token]) -> None:
    """Goes where `evaluation.values_at` goes for each of the attributes."""
    for segment, below in tree.items():
        found = node.get(segment)
        if found is None:
            continue
        for each in found if isinstance(found, list) else (found,):
            if isinstance(below, dict):
                if isinstance(each, Mapping):
                    _gather(each, below, tokens)
            elif isinstance(each, str | int | float):
                tokens.add(_token(below, clean(each) if isinstance(each, str) else each))


def tokens_for(condition: Condition) -> set[Token]:
    """The tokens of all values that `equals` of an indexed attribute is true for."""
    attribute = INDEXED[condition.attribute]
    tokens = set()
    for operand in map(Operand.of, condition.operands):
        tokens |= {_token(attribute, text) for text in operand.texts}
        tokens |= {_token(attribute, value) for value in (operand.number, operand.truth) if value is not None}
    return tokens


def _token(attribute: int, value: Any) -> Token:
    """The kind of the value and the value; of a long text its digest, as there is no room for it in an index."""
    if isinstance(value, bool):
        return f"{attribute}b{int(value)}"
    if isinstance(value, int | float):
        return f"{attribute}n{limited(value) + 0.0!r}"  # -0.0 is 0.0
    text = comparable(value)
    if len(text) <= _LONGEST:
        return f"{attribute}s{text}"
    return f"{attribute}d{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"
