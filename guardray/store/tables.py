"""All tables of a store, from the modules that declare them: what is not named here is not created."""

from __future__ import annotations

from guardray.store.access_schema import ACCESS_KEYS, AUDIT
from guardray.store.schema import DESTINATIONS, EPOCHS, EVIDENCE, FINDINGS, METADATA, OUTBOX, WRITER

TABLES = (FINDINGS, EVIDENCE, EPOCHS, WRITER, DESTINATIONS, OUTBOX, ACCESS_KEYS, AUDIT)

__all__ = ["METADATA", "TABLES"]
