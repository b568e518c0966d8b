"""Normalised event schemas: flattened OCSF, one module per event class. Sources write them, detectors read them."""

from guardray.schema import api_activity, dns_activity, network_activity
from guardray.schema.columns import Column, EventSchema

SCHEMAS: dict[str, EventSchema] = {
    schema.name: schema for schema in (api_activity.SCHEMA, network_activity.SCHEMA, dns_activity.SCHEMA)
}

__all__ = ["SCHEMAS", "Column", "EventSchema"]
