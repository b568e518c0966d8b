"""JSON values of any type as what a typed field can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from guardray.sources.cloudtrail.records import Wire

_SURROGATE = r"\ud"


def any_json(content: bytes) -> Any:
    """Any JSON value, control characters in its texts and all.

    Raises:
        ValueError: it is not JSON, or not UTF-8; the message says where.
    """
    if not content:
        raise ValueError("the JSON text ends early")
    try:
        return json.loads(content.decode(), strict=False)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start} of the record") from None
    except RecursionError:
        raise ValueError("JSON nested too deep") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


def text_of(value: Any) -> str | None:
    """A value as text: itself if it is one, else its JSON."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    # Half of a surrogate pair is legal in JSON's escapes, and nowhere in UTF-8.
    return text.encode(errors="replace").decode()


def raw_of(value: Any) -> msgspec.Raw:
    """A value as JSON text, to go where an undecoded one is expected."""
    text = json.dumps(value, separators=(",", ":"))
    if _SURROGATE in text:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return msgspec.Raw(text.encode(errors="replace"))


def text_fields(struct: type[Wire], value: Mapping[str, Any]) -> dict[str, str | None]:
    """The optional fields of a struct, read as text from a JSON object."""
    fields = msgspec.structs.fields(struct)
    return {field.name: text_of(value.get(field.encode_name)) for field in fields if field.default is None}
