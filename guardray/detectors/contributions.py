"""How a finding tells what a model found unusual: each feature's share, and its usual values beside it."""

from __future__ import annotations

from typing import Any

from guardray.detectors.features import Feature, FeatureSpec
from guardray.types import Row

SAID = 3
"""Features that a sentence names; the finding's fields have all that the model told."""

LEAST_SAID = 0.1
"""Share of a feature below which a sentence does not name it."""


def model_sentence(row: Row, spec: FeatureSpec) -> str:
    """What made the row unusual for the account's model, in a sentence; empty where no model looked at it."""
    if row.get("anomaly") is None:
        return ""
    features = {feature.name: feature for feature in spec.features}
    told = [
        f"{features[one['feature']].words}{_beside(features[one['feature']], row)} ({one['share']:.0%})"
        for one in row["contributions"]
        if one["share"] >= LEAST_SAID
    ]
    because = f", mostly for {', '.join(told[:SAID])}" if told else ""
    return f"The account's model puts it at {row['anomaly']:.2f} times its threshold{because}."


def _beside(feature: Feature, row: Row) -> str:
    said = feature.beside(row) if feature.beside is not None else ""
    return f": {said}" if said else ""


def model_info(row: Row, spec: FeatureSpec) -> dict[str, Any]:
    """The same for `additionalInfo`: the score, and features with their shares and units, the largest first."""
    if row.get("anomaly") is None:
        return {}
    features = {feature.name: feature for feature in spec.features}
    told = [
        {"feature": one["feature"], "share": round(one["share"], 3), "meaning": features[one["feature"]].words}
        | ({"beside": said} if (said := _beside(features[one["feature"]], row).removeprefix(": ")) else {})
        for one in row["contributions"]
    ]
    return {"anomalyScore": round(row["anomaly"], 3), "contributions": told}
