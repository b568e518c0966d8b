"""GuardDuty's JSON: findings to and from the objects that its API and its events carry."""

from guardray.findings.wire.findings import from_json, time_of, time_text, to_json

__all__ = ["from_json", "time_of", "time_text", "to_json"]
