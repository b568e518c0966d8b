"""How findings about unusual callers tell what is unusual, and what is usual beside it.

Source: additionalInfo of published GuardDuty findings of the AnomalousBehavior types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guardray.detectors.behaviour import HISTORY_DAYS, OPERATION, Part
from guardray.detectors.calls import caller_of, origin_of
from guardray.detectors.contributions import model_info, model_sentence
from guardray.detectors.features import FeatureSpec
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.findings.resources import Resource
from guardray.types import Row

FREQUENT_A_MONTH, INFREQUENT_A_MONTH = 4.0, 1.0
"""Days a month from which a value is seen frequently (once a week) or infrequently; below it is rare. Source: GuardDuty
user guide, details of anomalous behaviour."""

PROFILES = {"account": "AccountProfiling", "principal": "UserIdentityProfiling"}

Call = Mapping[str, Any]


def unusual_details(
    row: Row, tactic: str, parts: Sequence[Part], spec: FeatureSpec, resource: Resource, further: str = ""
) -> Details:
    """What a finding about an unusual call, and others with it, says; `further` sentences close the description."""
    others = len(row["others"])
    also = f" and {others} more calls like it" if others > 1 else " and one more call" if others else ""
    who = caller_of(row)
    return Details(
        title=f"{who[0].upper()}{who[1:]} called APIs that serve {tactic} in an unusual way.",
        description=f"{row['api_operation']}{also} by {who} from {origin_of(row)} {_is_or_are(others)} unusual. "
        + " ".join(filter(None, (explained(row, parts), model_sentence(row, spec), further))),
        resource=resource,
        action=AwsApiCall.of(row),
        additional_info=_additional_info(row, parts) | model_info(row, spec),
    )


def _is_or_are(others: int) -> str:
    return "are" if others else "is"


def explained(row: Row, parts: Sequence[Part]) -> str:
    """What is unusual beside what is usual, in sentences."""
    sentences = [sentence for part in parts if (sentence := _sentence(row, part))]
    if is_new_principal(row):
        sentences.append("The principal itself is new.")
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def _sentence(row: Row, part: Part) -> str | None:
    for who in part.whose:
        habit = f"{who}_{part.name}"
        if is_unusual(row, part, who) and not (who == "principal" and is_new_principal(row)):
            whose = "in the account" if who == "account" else "with this principal"
            seen = f"on {days} of" if (days := row[f"{habit}_days"]) else "on none of"
            return (
                f"{part.words} {_value(part, row)} was seen {whose} {seen} {row[f'{habit}_history']} earlier days "
                f"({_usual_words(part, row['usual'][habit])})."
            )
    return None


_WORDS_KEPT = 3


def _usual_words(part: Part, usual: Sequence[tuple[tuple[Any, ...], int]]) -> str:
    named = ", ".join(f"{_text(part, value)} on {days}" for value, days in usual[:_WORDS_KEPT])
    return f"usual: {named}" if named else "none was known"


def is_unusual(row: Call, part: Part, who: str) -> bool:
    """Whether this part of a call is unusual for the principal or in the account; False where its value is not told."""
    days = row[f"{who}_{part.name}_days"]
    if days is None or days >= part.known_days:
        return False
    return not part.known_at_work_days or bool(row[f"{who}_{part.name}_at_work_days"] < part.known_at_work_days)


def is_new_principal(row: Call) -> bool:
    """Whether the principal has no habits of its own yet."""
    return bool(row["principal_operation_history"] < HISTORY_DAYS)


def _additional_info(row: Row, parts: Sequence[Part]) -> dict[str, Any]:
    rows = [row, *row["others"]]
    agent = {
        "fullUserAgent": row["http_request_user_agent"],
        "userAgentCategory": row["http_request_user_agent_family"],
    }
    return {
        "userAgent": {name: value for name, value in agent.items() if value is not None},
        "anomalies": {"anomalousAPIs": anomalous_apis(rows)},
        "profiledBehavior": _profiled(row, parts),
        "unusualBehavior": _unusual(rows, parts),
    }


def anomalous_apis(rows: Sequence[Call]) -> str:
    """The calls by service with what came of them: `iam.amazonaws.com:[CreateUser:success , GetUser:AccessDenied]`."""
    by_service: dict[str, dict[str, None]] = {}
    for one in rows:
        outcome = f"{one['api_operation']}:{one['api_response_error'] or 'success'}"
        by_service.setdefault(str(one["api_service_name"]), {})[outcome] = None
    return " , ".join(f"{service}:[{' , '.join(outcomes)}]" for service, outcomes in by_service.items())


def _unusual(rows: Sequence[Call], parts: Sequence[Part]) -> dict[str, str]:
    found = {}
    for part in parts:
        for who in part.whose:
            new = dict.fromkeys(_value(part, one) for one in rows if is_unusual(one, part, who))
            if new:
                found[f"unusual{part.title}{PROFILES[who]}"] = " , ".join(new)
    return found | {"isUnusualUserIdentity": "true" if is_new_principal(rows[0]) else "false"}


def _profiled(row: Row, parts: Sequence[Part]) -> dict[str, str]:
    graded: dict[str, list[str]] = {}
    for part in parts:
        for who in part.whose:
            habit = f"{who}_{part.name}"
            for value, days in row["usual"][habit]:
                name = f"{_grade(days, row[f'{habit}_history'])}Profiled{part.title}{PROFILES[who]}"
                graded.setdefault(name, []).append(_text(part, value))
    return {name: " , ".join(values) for name, values in graded.items()}


def _grade(days: int, history: int) -> str:
    a_month = 30 * days / max(history, 1)
    if a_month >= FREQUENT_A_MONTH:
        return "frequent"
    return "infrequent" if a_month >= INFREQUENT_A_MONTH else "rare"


def _value(part: Part, row: Call) -> str:
    return _text(part, tuple(row[column] for column in part.columns))


def _text(part: Part, value: Sequence[Any]) -> str:
    if part is OPERATION:
        return f"{str(value[0]).partition('.')[0]}:{value[1]}"
    return ":".join(map(str, value))
