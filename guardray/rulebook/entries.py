"""What there is to say of each finding type: taken from its detector and from the module that declares it."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from importlib import import_module
from itertools import pairwise
from types import ModuleType

import msgspec

from guardray.custom.library import OwnRule
from guardray.detectors.costs import measured_costs
from guardray.detectors.declare import Detector, Learning, Method, Mode, Source
from guardray.detectors.loader import declaring_modules, load_detectors
from guardray.errors import UsageError
from guardray.findings.tactic import tactic_of
from guardray.intel.store import IndicatorStore
from guardray.rulebook.facts import learning_of, needs_of, state_of
from guardray.types import ResourceRole

_NAMES_A_TYPE = re.compile(r"\w+:\w+/\w+")
_SENTENCE = re.compile(r".+?\.(?=\s|$)")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One finding type, as `guardray detectors list --format json` gives it.

    Attributes:
        severity: the usual one.
        severities: all that its examples show, rising.
        tactic: the one of ATT&CK that the type's purpose stands for; null where it stands for none.
        active: it can fire with the indicators that were given.
        why_not: what is missing where it cannot.
        needs: what it cannot work without, beside its log; empty where that is nothing.
        learning: `before`: it is silent until it knows what is usual; `after`: it fires at once, then gets used to it.
        state: what it remembers.
        ns_per_row: processor time for each row of its log, as `measured_costs` has it; null where it was not measured.
        description: one sentence on what fires.
        mode: in `DRY_RUN` it is counted, and gives no finding.
        file: the rule file that it comes from; null where guardray brings it.
    """

    type: str
    source: Source
    method: Method
    severity: float
    severities: tuple[float, ...]
    active: bool
    why_not: str | None
    tactic: str | None
    needs: str
    learning: Learning
    state: str
    ns_per_row: float | None
    role: ResourceRole
    entity: tuple[str, ...]
    tunables: Mapping[str, float]
    description: str
    mode: Mode = "LIVE"
    file: str | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One finding type at length: its entry, its module's explanation, and why its tunables are what they are."""

    entry: Entry
    explanation: str
    reasons: Mapping[str, str]
    fires: tuple[str, ...]
    quiet: tuple[str, ...]


def entries(indicators: IndicatorStore) -> list[Entry]:
    """All finding types that there is a detector for, sorted by type."""
    modules = declaring_modules()
    return [_module_entry(detector, modules[detector.finding_type], indicators) for detector in load_detectors()]


def own_entry(rule: OwnRule, indicators: IndicatorStore, why_not: str | None = None) -> Entry:
    """The finding type of a rule of somebody's own, which cannot run for the reason that is given."""
    entry = _entry(rule.detector, _own_description(rule.about), indicators)
    inactive = why_not or entry.why_not
    return msgspec.structs.replace(entry, active=inactive is None, why_not=inactive, file=str(rule.path))


def account(finding_type: str, indicators: IndicatorStore) -> Account:
    """The finding type at length.

    Raises:
        UsageError: there is no detector for it.
    """
    (detector,) = load_detectors([finding_type])
    module = declaring_modules()[finding_type]
    entry = _module_entry(detector, module, indicators)
    return _account(detector, entry, inspect.getdoc(module) or "", tunable_reasons(detector, module))


def own_account(rule: OwnRule, indicators: IndicatorStore, why_not: str | None = None) -> Account:
    """A rule of somebody's own at length."""
    return _account(rule.detector, own_entry(rule, indicators, why_not), rule.about, rule.reasons)


def _account(detector: Detector, entry: Entry, explanation: str, reasons: Mapping[str, str]) -> Account:
    return Account(
        entry=entry,
        explanation=explanation,
        reasons=reasons,
        fires=_names(detector, fires=True),
        quiet=_names(detector, fires=False),
    )


def _names(detector: Detector, *, fires: bool) -> tuple[str, ...]:
    return tuple(example.name for example in detector.examples if example.fires == fires)


def missing_indicators(detector: Detector, indicators: IndicatorStore) -> str | None:
    """What the detector cannot work without and does not have; None when it lacks nothing."""
    wanted = detector.wanted_lists
    if not wanted or any(indicators.holds(kind, (category,)) for kind, category in wanted):
        return None
    kind, category = wanted[0]
    option = "--threat-list" if category == "custom" else "--intel"
    plural = {"address": "addresses", "domain": "domains"}[kind]
    return f"needs a list of {plural} of category {category}: {option}"


def _module_entry(detector: Detector, module: ModuleType, indicators: IndicatorStore) -> Entry:
    return _entry(detector, _description(module), indicators)


def _entry(detector: Detector, description: str, indicators: IndicatorStore) -> Entry:
    missing = missing_indicators(detector, indicators)
    return Entry(
        type=detector.finding_type,
        source=detector.source,
        method=detector.method,
        severity=detector.severity,
        severities=_severities(detector),
        active=missing is None,
        why_not=missing,
        tactic=tactic_of(detector.finding_type),
        needs=needs_of(detector),
        learning=learning_of(detector),
        state=state_of(detector),
        ns_per_row=measured_costs().ns_per_row.get(detector.finding_type),
        role=detector.role,
        entity=detector.entity,
        tunables=dict(detector.tunables),
        description=description,
        mode=detector.mode,
    )


def _severities(detector: Detector) -> tuple[float, ...]:
    shown = {example.severity for example in detector.examples if example.severity is not None}
    return tuple(sorted({detector.severity, *shown}))


def _description(module: ModuleType) -> str:
    """What fires: the first sentence of the docstring that is not just the names of the finding types."""
    documentation = inspect.getdoc(module)
    if not documentation:
        raise UsageError(f"{module.__name__} declares a detector but has no docstring that explains it")
    first_line, _, rest = documentation.partition("\n")
    told = [part for part in first_line.split(": ") if not _NAMES_A_TYPE.search(part)]
    return _first_sentence(told[-1] if told else rest)


def _own_description(about: str) -> str:
    """The first sentence of what somebody wrote, however the lines are broken; nothing where nothing was written."""
    name, _, rest = about.partition(": ")
    return _first_sentence(rest if _NAMES_A_TYPE.search(name) and " " not in name else about)


def _first_sentence(text: str) -> str:
    text = " ".join(text.split())
    sentence = _SENTENCE.match(text)
    what = sentence.group() if sentence else f"{text}." if text else ""
    return what[:1].upper() + what[1:]


def tunable_reasons(detector: Detector, module: ModuleType) -> dict[str, str]:
    """Why tunables are what they are, as far as the module's constants explain it.

    A constant stands behind a tunable when it has its value, and its name or a longer one: `UDP_PACKETS` for `packets`.
    """
    explained = constant_reasons(module)
    return {
        tunable: explained[names[0]]
        for tunable, value in dict(detector.tunables).items()
        if (names := [name for name in explained if tunable in name.lower() and getattr(module, name) == value])
    }


def constant_reasons(module: ModuleType) -> dict[str, str]:
    """Constants of the module, and those it takes from other detectors, that have a docstring below them, by name."""
    statements = ast.parse(inspect.getsource(module)).body
    explained: dict[str, str] = {}
    for one in statements:
        if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("guardray.detectors."):
            theirs = _explained_in(ast.parse(inspect.getsource(import_module(str(one.module)))).body)
            explained |= {alias.name: theirs[alias.name] for alias in one.names if alias.name in theirs}
    return explained | _explained_in(statements)


def _explained_in(statements: list[ast.stmt]) -> dict[str, str]:
    """The constants with a docstring below them, by name; two that are assigned together share it."""
    explained: dict[str, str] = {}
    for assigned, below in pairwise(statements):
        match assigned, below:
            case ast.Assign(targets=[target]), ast.Expr(value=ast.Constant(value=str(text))):
                targets = target.elts if isinstance(target, ast.Tuple) else [target]
                explained |= {name.id: inspect.cleandoc(text) for name in targets if isinstance(name, ast.Name)}
    return explained
