"""Random findings and criteria that often meet: values and operands come from one small stock."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from guardray.store.criteria.conditions import Condition, Operator

_TIMES = ("2024-05-01T12:06:00.000Z", "2024-05-01T12:06:00Z", "2024-99-01T12:06:00Z")
_TEXTS = st.sampled_from(
    [*_TIMES, "", "a", "A", "ab", "a%b", "a_b", "[a]", "a\\b", "22", "0022", "true", "x\0y", "payroll", "é?", "a*b"]
) | st.sampled_from(["s" * 130, "198.51.100.7", "'; DROP TABLE findings"])
_NUMBERS = st.sampled_from([0, 1, 7, 8, 8.0, 8.5, 22, -3, 2**40, 10**25, 1.25e-7, 1714565160000])
_SCALARS = _TEXTS | _NUMBERS | st.booleans() | st.none()
_VALUES = _SCALARS | st.lists(_SCALARS, max_size=3)

_NUMBER_TEXTS = ("8", "8.0", "8.5", "22.0", "-3", "7", "1099511627776", "1714565160000")
_OPERANDS = _TEXTS | st.sampled_from(
    [
        *_NUMBER_TEXTS,
        "True",
        "FALSE",
        "TARGET",
        "111122223333",
        "eu-west-1",
        "AccessKey",
        "Recon:EC2/Portscan",
        "USEFUL",
    ]
)
_PATTERNS = _OPERANDS | st.text(st.sampled_from("a*?b2[]%_\\."), max_size=6)
_BOUNDS = st.sampled_from([0, 1, 7, 8, 9, 22, 1714565160000, 1714565160001, -(2**63), 2**63 - 1]) | st.integers(
    -(2**63), 2**63 - 1
)

FREE = (
    "resource.instanceDetails.instanceId",
    "resource.instanceDetails.tags.key",
    "resource.s3BucketDetails.name",
    "resource.accessKeyDetails.userName",
    "service.action.networkConnectionAction.localPortDetails.port",
    "service.action.awsApiCallAction.api",
    "service.action.awsApiCallAction.affectedResources.AWS::S3::Bucket",
    "service.additionalInfo.threatListName",
    "service.additionalInfo.unusual.port",
    "service.additionalInfo.x",
)
"""Paths that a column does not repeat: some indexed, some through lists, some of which the type may be anything."""

_NAMED = (
    *("accountId", "region", "id", "type", "severity", "createdAt", "updatedAt", "resource.resourceType"),
    *("service.archived", "service.count", "service.eventFirstSeen", "service.eventLastSeen", "service.detectorId"),
    *("title", "service.resourceRole", "service.userFeedback", "confidence"),
)


@st.composite
def conditions(draw: Any) -> Condition:
    attribute = draw(st.sampled_from(FREE + _NAMED))
    operator = draw(st.sampled_from(get_args(Operator)))
    if operator in ("equals", "notEquals"):
        return Condition(attribute, operator, tuple(draw(st.lists(_OPERANDS, max_size=3))))
    if operator in ("matches", "notMatches"):
        return Condition(attribute, operator, tuple(draw(st.lists(_PATTERNS, max_size=3))))
    return Condition(attribute, operator, bound=draw(_BOUNDS))


def criteria() -> st.SearchStrategy[tuple[Condition, ...]]:
    return st.lists(conditions(), max_size=3).map(tuple)


@st.composite
def bodies(draw: Any) -> dict[str, Any]:
    """Members of `resource` and `service` with whatever may stand there, each perhaps inside a list."""
    body: dict[str, Any] = {"resource": {}, "service": {}}
    for path in draw(st.sets(st.sampled_from(FREE))):
        _put(body, path.split("."), draw(_VALUES), draw)
    return body


def _put(node: dict[str, Any], path: list[str], value: Any, draw: Any) -> None:
    if len(path) == 1:
        node[path[0]] = value
        return
    child = node.setdefault(path[0], {})
    if isinstance(child, list):
        child = child[0]
    _put(child, path[1:], value, draw)
    if len(path) > 1 and node[path[0]] is child and path[0] not in ("resource", "service") and draw(st.booleans()):
        node[path[0]] = [child, {"other": 1}]
