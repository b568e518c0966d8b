"""What is known of finding types, for those who ask over HTTP: read from the detectors, once each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from guardray.api.query_answers import Explanation, Tunable
from guardray.context.enrich import Indicators
from guardray.custom.library import OwnRule
from guardray.detectors.loader import load_detectors
from guardray.intel.store import IndicatorStore
from guardray.rulebook.entries import Account, Entry, account, entries, own_account, own_entry

Json = dict[str, Any]


class Explainer:
    """Explains findings and lists what there are detectors for.

    Args:
        rules: of one's own.
        lists: as they are at the time: without some, detectors cannot fire.
    """

    def __init__(self, rules: Iterable[OwnRule], lists: Indicators) -> None:
        self._own = {rule.detector.finding_type: rule for rule in rules}
        self._lists = lists

    def entries(self) -> list[Entry]:
        """All finding types, sorted."""
        indicators = self._lists.current()
        own = [own_entry(rule, indicators) for rule in self._own.values()]
        # Where its file lies is nobody's business who has a key.
        shown = [_without_folder(entry) for entry in own]
        return sorted([*entries(indicators), *shown], key=lambda entry: entry.type)

    def explain(self, finding: Json) -> Explanation | None:
        """The explanation of a finding; None where there is no detector of its type any more."""
        known = self._account(finding["type"])
        if known is None:
            return None
        entry = known.entry
        return Explanation(
            summary=entry.description,
            text=known.explanation,
            source=entry.source,
            method=entry.method,
            learning=entry.learning,
            state=entry.state,
            tactic=entry.tactic,
            tunables={name: Tunable(value, known.reasons.get(name)) for name, value in entry.tunables.items()},
            why=finding["service"].get("additionalInfo", {}),
        )

    def _account(self, finding_type: str) -> Account | None:
        rule = self._own.get(finding_type)
        return _built_in(finding_type) if rule is None else own_account(rule, IndicatorStore())


@cache
def _built_in(finding_type: str) -> Account | None:
    known = {detector.finding_type for detector in load_detectors()}
    return account(finding_type, IndicatorStore()) if finding_type in known else None


def _without_folder(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, file=None if entry.file is None else entry.file.rpartition("/")[2])
