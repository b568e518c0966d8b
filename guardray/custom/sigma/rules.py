"""Sigma rules to detectors.

A rule may have an attribute of ours, `guardray`, with examples and the like; public ones have none, and so nothing that
proves them. They run in DRY_RUN until somebody who has looked at what they would find says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from guardray.context.enrich import enriched_columns
from guardray.custom.confinement import check
from guardray.custom.details import RuleDetails, Texts
from guardray.custom.example_rows import examples_of
from guardray.custom.rule_form import ExampleForm
from guardray.custom.rules import default_entity, default_resource
from guardray.custom.sigma.conditions import operations_of, sql_of
from guardray.custom.sql import ConditionError
from guardray.custom.yaml_text import Document
from guardray.detectors.declare import Mode, Query, QueryDetector
from guardray.findings.finding_type import FindingType
from guardray.findings.severity import Severity
from guardray.schema import api_activity

SEVERITIES = {
    "INFORMATIONAL": Severity.LOW.floor,
    "LOW": Severity.LOW.default,
    "MEDIUM": Severity.MEDIUM.default,
    "HIGH": Severity.HIGH.default,
    "CRITICAL": Severity.CRITICAL.default,
}
"""Of a rule's level; a rule without one is of the lowest."""

_READ = ("title", "logsource", "detection", "level")
"""What pySigma is given. It refuses a rule for the form of an author's name; the rest is only for people."""

_TACTIC = re.compile(r"[a-z]+([-_][a-z]+)*")

NO_TACTIC = "Policy"
"""The threat purpose of rules without a tactic."""


class SigmaExtra(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule's attribute `guardray` may say.

    Attributes:
        finding_type: else made from tactic and title.
        mode: else LIVE where there are examples.
        entity: as in rules of ours.
        examples: as in rules of ours.
    """

    finding_type: str | None = None
    mode: Mode | None = None
    entity: tuple[str, ...] | None = None
    examples: tuple[ExampleForm, ...] = ()


def is_sigma(document: Document) -> bool:
    """Whether a document is meant to be a Sigma rule."""
    keys = document.value if isinstance(document.value, dict) else {}
    return any(key in keys for key in ("logsource", "detection", "correlation"))


def read_sigma(document: Document) -> tuple[QueryDetector, str]:
    """The detector that a Sigma rule is, and what its author says of it, as Markdown.

    Raises:
        UsageError: it is of another product, or says what cannot be said of one record, for file, line and reason.
    """
    _check_kind(document)
    own = _extra(document)
    rule = _parsed(document)
    condition, operations = _condition(document, rule)
    schema = api_activity.SCHEMA
    title = " ".join(str(rule.title).split())
    # Placeholders are ours; braces in a title mean nothing.
    told = title.replace("{", "(").replace("}", ")")
    detector = QueryDetector(
        finding_type=_finding_type(document, own, title),
        severity=SEVERITIES[rule.level.name] if rule.level else Severity.LOW.floor,
        source="cloudtrail-management",
        schema=schema,
        role="TARGET",
        entity=_entity(document, own),
        mode=own.mode or ("LIVE" if own.examples else "DRY_RUN"),
        queries=(Query("sigma", condition, operations or frozenset()),),
        details=RuleDetails(
            texts={"sigma": Texts(f"{told}.", f"{told}: {{caller}} called {{api_operation}} from {{origin}}.")},
            schema=schema,
            resource=default_resource(schema),
        ),
        examples=examples_of(document, own.examples, schema, "$.guardray.examples") if own.examples else (),
    )
    return detector, "\n\n".join(_about(document.value))


def _check_kind(document: Document) -> None:
    value = document.value
    if "correlation" in value:
        raise document.error("a correlation rule looks at many records, which is not supported", "$.correlation")
    if "filter" in value:
        raise document.error("filters that change other rules are not supported", "$.filter")
    source = value.get("logsource")
    told = source if isinstance(source, dict) else {}
    if (str(told.get("product")).lower(), str(told.get("service")).lower()) != ("aws", "cloudtrail"):
        named = ", ".join(f"{key} {told[key]}" for key in ("product", "service", "category") if key in told)
        raise document.error(f"not for CloudTrail: its log source is {named or 'not said'}", "$.logsource")


def _extra(document: Document) -> SigmaExtra:
    return document.convert(SigmaExtra, "guardray") if "guardray" in document.value else SigmaExtra()


def _parsed(document: Document) -> Any:
    from sigma.exceptions import SigmaError
    from sigma.rule import SigmaRule

    try:
        return SigmaRule.from_dict({name: document.value[name] for name in _READ if name in document.value})
    except SigmaError as error:
        raise document.error(f"not a Sigma rule: {error}") from None


def _condition(document: Document, rule: Any) -> tuple[str, frozenset[str] | None]:
    """The SQL of the rule's conditions, any of which is enough, and its operations."""
    from sigma.exceptions import SigmaError

    try:
        trees = [condition.parsed for condition in rule.detection.parsed_condition]
        told = [operations_of(tree) for tree in trees]
        sql = " OR ".join(map(sql_of, trees))
        check(sql, api_activity.SCHEMA)
    except (SigmaError, ConditionError) as error:
        raise document.error(str(error), "$.detection") from None
    known = [names for names in told if names is not None]
    return sql, frozenset[str]().union(*known) if len(known) == len(told) else None


def _entity(document: Document, own: SigmaExtra) -> tuple[str, ...]:
    for index, column in enumerate(own.entity or ()):
        if column not in enriched_columns(api_activity.SCHEMA):
            raise document.error(f"api_activity has no column {column!r}", f"$.guardray.entity[{index}]")
    return default_entity(api_activity.SCHEMA) if own.entity is None else own.entity


def _finding_type(document: Document, own: SigmaExtra, title: str) -> str:
    name = own.finding_type or f"{_purpose(document.value.get('tags'))}:CloudTrail/{_camel(title)}.Sigma"
    try:
        return str(FindingType.parse(name))
    except ValueError as error:
        raise document.error(str(error), "$.guardray.finding_type" if own.finding_type else "$.title") from None


def _purpose(tags: Any) -> str:
    """The rule's first tactic, as GuardDuty writes it."""
    names = (tag.lower().removeprefix("attack.") for tag in _texts(tags) if tag.lower().startswith("attack."))
    return _camel(next((name for name in names if _TACTIC.fullmatch(name)), NO_TACTIC))


def _camel(text: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", text))


def _about(rule: Mapping[str, Any]) -> Iterator[str]:
    author = f" by {rule['author']}" if rule.get("author") else ""
    yield f"{str(rule.get('description') or rule['title']).strip()}\n\nA Sigma rule{author}."
    for key, told in (("falsepositives", "Known false positives"), ("references", "References")):
        if texts := _texts(rule.get(key)):
            yield f"{told}: {'; '.join(texts)}"


def _texts(value: Any) -> list[str]:
    """A list of texts, which some authors write as a single one."""
    return [str(one).strip() for one in (value if isinstance(value, list) else [value]) if one]
