"""The pages of the finding types: a table of all, and each at length, by the resource that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from guardray.detectors.costs import measured_costs
from guardray.detectors.loader import declaring_modules
from guardray.findings.severity import Severity
from guardray.intel.store import IndicatorStore
from guardray.rulebook.entries import Account, Entry, account, entries
from guardray.rulebook.facts import LEARNING

RESOURCES = {
    "EC2": ("ec2.md", "Instances", "VPC Flow Logs and Route 53 Resolver query logs"),
    "IAMUser": ("iam.md", "Credentials and accounts", "CloudTrail management events"),
    "S3": ("s3.md", "Buckets", "CloudTrail management and S3 data events"),
}
"""The resource in a finding type to its page, what the page is about, and the logs that tell of it."""

OVERVIEW = """# Finding types

<!-- Generated from the detectors by `make docs`; do not edit. -->

{count} of GuardDuty's finding types have a detector. Each is explained at length on the page of its resource:
{resources}. `guardray detectors show TYPE` says the same, and `guardray detectors list` which types are active with the
threat lists given.

- **Log** is what the type reads: CloudTrail management events, CloudTrail S3 data events, VPC Flow Logs or Route 53
  Resolver query logs (`dns`).
- **Method** is `rule` (one event, a change against the last known configuration, or counts of a key in a window of
  time), `intel` (a rule that wants the address or domain on a threat list; without a list it is inactive) or
  `behaviour` (what an entity does by period, mostly beside what it did before).
- **Severity** is the usual one. Some types give another by what happened.
- **Learns** says whether the type is silent until it knows what is usual (`before`), or fires at once and gets used to
  what goes on (`after`). `guardray train` learns from earlier logs, and `guardray scan --baseline` knows it.
- **ns a row** is the processor time that the type alone costs for each row of its log, without decoding and enrichment,
  as `guardray bench --types` measured it on one core ({place}). Types that share work each have all of it in their
  figure.

{table}
"""

PAGE = """# {title}: finding types

<!-- Generated from the detectors by `make docs`; do not edit. -->

What is found in {logs}. All types are in [one table](../finding-types.md).

{sections}
"""


def pages(docs: Path) -> dict[Path, str]:
    """Every page to what it should hold."""
    listed = entries(IndicatorStore())
    found = {docs / "finding-types.md": _overview(listed)}
    for resource, (name, title, logs) in RESOURCES.items():
        types = [entry.type for entry in listed if _resource(entry.type) == resource]
        sections = "\n".join(_section(accounts) for accounts in _families(types))
        found[docs / "finding-types" / name] = PAGE.format(title=title, logs=logs, sections=sections).rstrip() + "\n"
    return found


def _resource(finding_type: str) -> str:
    return finding_type.partition(":")[2].partition("/")[0]


def _overview(listed: Sequence[Entry]) -> str:
    header = ("Finding type", "Log", "Method", "Severity", "Learns", "What happened", "ns a row")
    resources = ", ".join(f"[{title.lower()}](finding-types/{name})" for name, title, _ in RESOURCES.values())
    return OVERVIEW.format(
        count=len(listed), resources=resources, place=measured_costs().place, table=table(header, map(_row, listed))
    )


def _row(entry: Entry) -> tuple[str, ...]:
    page = RESOURCES[_resource(entry.type)][0]
    return (
        f"[`{entry.type}`](finding-types/{page}#{_anchor(entry.type)})",
        entry.source,
        entry.method,
        _severities(entry),
        "" if entry.learning == "none" else entry.learning,
        entry.description,
        "" if entry.ns_per_row is None else f"{entry.ns_per_row:,.0f}",
    )


def _severities(entry: Entry) -> str:
    ends = dict.fromkeys((entry.severities[0], entry.severities[-1]))
    return " to ".join(f"{Severity.of(number).label} {number:g}" for number in ends)


def _families(types: Iterable[str]) -> list[list[Account]]:
    """The types that one module declares, together, in the order of the first of each."""
    modules = declaring_modules()
    families: dict[str, list[Account]] = {}
    for finding_type in types:
        families.setdefault(modules[finding_type].__name__, []).append(account(finding_type, IndicatorStore()))
    return list(families.values())


def _section(family: Sequence[Account]) -> str:
    first = family[0]
    parts = [
        "\n".join(f'<a id="{_anchor(one.entry.type)}"></a>' for one in family),
        f"## {_heading([one.entry.type for one in family])}",
        first.explanation,
        table(("Finding type", "Severity", "Tactic", "Role", "Needs"), map(_facts, family)),
        f"One finding for each {', '.join(('account', 'Region', *first.entry.entity))}. It reads {first.entry.source}, "
        f"remembers {first.entry.state}, and learns {LEARNING[first.entry.learning]}.",
    ]
    reasons = {name: (value, one.reasons.get(name, "")) for one in family for name, value in one.entry.tunables.items()}
    if reasons:
        rows = ((f"`{name}`", f"{value:,.12g}", " ".join(why.split())) for name, (value, why) in reasons.items())
        parts.append(table(("Tunable", "Value", "Why"), rows))
    for title, names in (("It fires when", "fires"), ("It stays quiet when", "quiet")):
        examples = dict.fromkeys(example for one in family for example in getattr(one, names))
        parts.append(f"{title}\n\n" + "\n".join(f"- {example}" for example in examples))
    return "\n\n".join(parts) + "\n"


def _heading(types: Sequence[str]) -> str:
    """The one type, or the first of those of a family and how many more there are."""
    more = f" and {len(types) - 1} more" if len(types) > 1 else ""
    return f"{types[0]}{more}"


def _facts(shown: Account) -> tuple[str, ...]:
    return (
        f"`{shown.entry.type}`",
        _severities(shown.entry),
        shown.entry.tactic or "",
        shown.entry.role,
        shown.entry.needs,
    )


def _anchor(finding_type: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in finding_type.lower())


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    header = tuple(header)
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |" for line in lines)
