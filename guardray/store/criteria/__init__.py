"""FindingCriteria: what GuardDuty's API and suppression rules ask of findings, judged in Python or compiled to SQL."""

from guardray.store.criteria.conditions import Condition, Criteria
from guardray.store.criteria.evaluation import matches
from guardray.store.criteria.parsing import parse_criteria

__all__ = ["Condition", "Criteria", "matches", "parse_criteria"]
