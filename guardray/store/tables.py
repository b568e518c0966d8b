"""All tables of a store, from the modules that declare them: what is not named here is not created."""

from __future__ import annotations

from guardray.store.access_schema import ACCESS_KEYS, AUDIT
from guardray.store.api_schema import (
    DESTINATION_PLACES,
    DETECTORS,
    MEMBERS,
    ORGANISATION,
    REMOVED_DETECTORS,
    RESOURCES,
    TAGS,
)
from guardray.store.criteria_schema import FINDING_FEEDBACK
from guardray.store.index_schema import (
    DAY_TOTALS,
    FINDING_INDEX,
    FINDING_TERMS,
    FINDING_VALUES,
    RESOURCE_TOTALS,
    TYPE_TOTALS,
)
from guardray.store.schema import DESTINATIONS, EPOCHS, EVIDENCE, FINDINGS, METADATA, OUTBOX, WRITER
from guardray.store.service_schema import (
    CHECKPOINTS,
    OPEN_PARTS,
    POSITION_BLOCKS,
    SERVICE_EPOCHS,
    SERVICE_LEASE,
    SERVICE_POSITION,
    SERVICE_STATUS,
)
from guardray.store.usage_schema import USAGE

TABLES = (
    FINDINGS,
    EVIDENCE,
    EPOCHS,
    WRITER,
    DESTINATIONS,
    OUTBOX,
    ACCESS_KEYS,
    AUDIT,
    SERVICE_EPOCHS,
    CHECKPOINTS,
    SERVICE_LEASE,
    SERVICE_POSITION,
    POSITION_BLOCKS,
    SERVICE_STATUS,
    OPEN_PARTS,
    DETECTORS,
    REMOVED_DETECTORS,
    RESOURCES,
    TAGS,
    MEMBERS,
    ORGANISATION,
    DESTINATION_PLACES,
    FINDING_FEEDBACK,
    USAGE,
    FINDING_INDEX,
    FINDING_TERMS,
    FINDING_VALUES,
    TYPE_TOTALS,
    DAY_TOTALS,
    RESOURCE_TOTALS,
)

__all__ = ["METADATA", "TABLES"]
