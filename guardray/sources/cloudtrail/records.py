"""CloudTrail's record as a typed struct: the fields that the schema keeps.

Source: AWS CloudTrail User Guide, "CloudTrail record contents".
"""

from __future__ import annotations

from msgspec import Raw, Struct, json

_ABBREVIATED = {
    "event_id": "eventID",
    "request_id": "requestID",
    "source_ip_address": "sourceIPAddress",
    "records": "Records",
}


def wire_name(field: str) -> str:
    """The JSON name of a field: camel case but for AWS's capital abbreviations."""
    first, *rest = field.split("_")
    return _ABBREVIATED.get(field) or first + "".join(word.capitalize() for word in rest)


FLAGS: dict[str | bool | None, bool] = {
    True: True,
    False: False,
    "true": True,
    "false": False,
    "True": True,
    "False": False,
}
"""AWS writes flags as JSON booleans or as text, by service and age of the record."""


class Wire(Struct, rename=wire_name, gc=False):
    """Base of the structs. Trees of text cannot form cycles, so the garbage collector need not know them."""


ABSENT = Raw(b"null")


class Record(Wire):
    """One CloudTrail record. Every field may be missing here; `careful` says what a usable record needs.

    The scanner looks for the first three by their place.
    """

    event_source: str | None = None
    request_parameters: Raw = ABSENT
    additional_event_data: Raw = ABSENT
    event_time: str | None = None
    event_id: str | None = None
    event_category: str | None = None
    event_type: str | None = None
    recipient_account_id: str | None = None
    aws_region: str | None = None
    event_name: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    request_id: str | None = None
    response_elements: Raw = ABSENT
    read_only: str | bool | None = None
    management_event: str | bool | None = None
    user_identity: Raw = ABSENT
    source_ip_address: str | None = None
    vpc_endpoint_id: str | None = None
    vpc_endpoint_account_id: str | None = None
    user_agent: str | None = None


class LogFile(Wire):
    """What CloudTrail delivers: one JSON object holding all records of the file."""

    records: list[Record]


RECORDS = json.Decoder(Record)
