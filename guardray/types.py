"""Small shared aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

AccountId = str
"""A 12-digit string, never a number."""

Region = str

Row = Mapping[str, Any]
"""One row of a batch as Python values, by column name. Times are aware datetimes in UTC."""

ResourceRole = Literal["TARGET", "ACTOR"]
"""TARGET: the resource is acted upon. ACTOR: the resource does the acting."""
