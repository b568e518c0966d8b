"""Files with a rule in SQL to detectors. Everything is checked but whether the examples pass."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from guardray.context.enrich import enriched_columns
from guardray.custom.confinement import check
from guardray.custom.details import ResourceKind, RuleDetails, Texts, check_text
from guardray.custom.example_rows import examples_of
from guardray.custom.queries import RULE
from guardray.custom.rule_form import Alternative, RuleForm, SeverityText, severity_number
from guardray.custom.sql import ConditionError, expand
from guardray.custom.yaml_text import Document
from guardray.detectors.declare import Query, QueryDetector, Source
from guardray.errors import UsageError
from guardray.findings.finding_type import FindingType
from guardray.schema import EventSchema, api_activity, dns_activity, network_activity

SCHEMA_OF: Mapping[Source, EventSchema] = {
    "cloudtrail-management": api_activity.SCHEMA,
    "cloudtrail-s3": api_activity.SCHEMA,
    "vpc-flow": network_activity.SCHEMA,
    "dns": dns_activity.SCHEMA,
}


def read_rule(document: Document) -> tuple[QueryDetector, RuleForm]:
    """The detector that a document declares, and what is written there.

    Raises:
        UsageError: file, line and reason.
    """
    form = document.convert(RuleForm)
    return _RuleReader(document, form).detector(), form


def default_entity(schema: EventSchema) -> tuple[str, ...]:
    """What findings of a rule are kept apart by unless it says so: the condition, and the caller or the instance."""
    return (RULE, "actor_principal" if schema == api_activity.SCHEMA else "resource_uid")


def default_resource(schema: EventSchema) -> ResourceKind:
    """What findings of a rule are about unless it says so."""
    return "AccessKey" if schema == api_activity.SCHEMA else "Instance"


class _RuleReader:
    """Makes the detector of one file."""

    def __init__(self, document: Document, form: RuleForm) -> None:
        self._document = document
        self._form = form
        self._schema = SCHEMA_OF[form.source]

    def detector(self) -> QueryDetector:
        form = self._form
        self._check_type()
        return QueryDetector(
            finding_type=form.finding_type,
            severity=self._severity(form.severity, "$.severity"),
            source=form.source,
            schema=self._schema,
            role=form.role,
            entity=self._entity(),
            mode=form.mode,
            tunables=self._tunables,
            queries=tuple(self._query(one, at) for at, one in self._alternatives.items()),
            details=RuleDetails(
                texts={one.name: self._texts(one, at) for at, one in self._alternatives.items()},
                schema=self._schema,
                resource=self._resource(),
            ),
            examples=examples_of(self._document, form.examples, self._schema, "$.examples"),
        )

    @cached_property
    def _alternatives(self) -> dict[str, Alternative]:
        """By their path in the document; a file with one condition is a single one."""
        form = self._form
        if form.condition is not None:
            return {"$": Alternative(name="rule", condition=form.condition)}
        return {f"$.rules[{index}]": one for index, one in enumerate(form.rules)}

    @cached_property
    def _tunables(self) -> dict[str, float]:
        return {name: tunable.value for name, tunable in self._form.tunables.items()}

    def _check_type(self) -> None:
        try:
            FindingType.parse(self._form.finding_type)
        except ValueError as error:
            raise self._document.error(str(error), "$.finding_type") from None

    def _severity(self, written: SeverityText, at: str) -> float:
        try:
            return severity_number(written)
        except (ValueError, UsageError) as error:
            raise self._document.error(str(error), at) from None

    def _entity(self) -> tuple[str, ...]:
        if self._form.entity is None:
            return default_entity(self._schema)
        for index, column in enumerate(self._form.entity):
            if column != RULE and column not in enriched_columns(self._schema):
                raise self._document.error(f"{self._schema.name} has no column {column!r}", f"$.entity[{index}]")
        return self._form.entity

    def _resource(self) -> ResourceKind:
        default = default_resource(self._schema)
        wanted = self._form.resource or default
        if (wanted == "Instance") != (default == "Instance"):
            reason = f"findings over {self._form.source} cannot be about the resource {wanted}"
            raise self._document.error(reason, "$.resource")
        return wanted

    def _query(self, one: Alternative, at: str) -> Query:
        operations = one.operations or self._form.operations
        if operations and self._schema != api_activity.SCHEMA:
            raise self._document.error("`operations` are of API calls, which this log has not", f"{at}.operations")
        try:
            condition = expand(one.condition, self._tunables)
            check(condition, self._schema)
        except ConditionError as error:
            raise self._document.error(str(error), f"{at}.condition", error.line) from None
        return Query(one.name, condition, frozenset(map(str.lower, operations)))

    def _texts(self, one: Alternative, at: str) -> Texts:
        form = self._form
        title = one.title or form.title
        description = one.description or form.description or title
        for name, text in (("title", title), ("description", description)):
            try:
                check_text(text, self._schema)
            except ValueError as error:
                place = at if getattr(one, name) else "$"
                raise self._document.error(str(error), f"{place}.{name}") from None
        severity = None if one.severity is None else self._severity(one.severity, f"{at}.severity")
        return Texts(title, description, severity)
