"""The tables of what the API keeps beside findings: detectors, what belongs to them, tags, and who is whose member."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from guardray.store.schema import DESTINATIONS, METADATA, LogText, UtcTime

DETECTORS = Table(
    "api_detectors",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("account_id", String(12), nullable=False),
    Column("region", LogText, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("publishing_frequency", String(20), nullable=False),
    Column("features", Text, nullable=False),  # JSON: status and time of each feature
    Column("client_token", LogText, nullable=True),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "region", name="api_detectors_one_a_region"),
)

REMOVED_DETECTORS = Table(
    "api_removed_detectors",
    METADATA,
    Column("account_id", String(12), primary_key=True),
    Column("region", LogText, primary_key=True),
)
"""Where there was a detector and is none: unlike where there never was one, nothing is to be found there."""

RESOURCES = Table(
    "api_resources",
    METADATA,
    Column("account_id", String(12), primary_key=True),
    Column("region", LogText, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("id", LogText, primary_key=True),
    Column("name", LogText, nullable=False),
    Column("number", Integer, nullable=False),  # in the order in which they were made
    Column("status", String(60), nullable=True),  # of those that have one
    Column("content", Text, nullable=False),  # JSON by the names of the API's model
    Column("client_token", LogText, nullable=True),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("account_id", "region", "kind", "name", name="api_resources_by_name"),
    Index("api_resources_by_status", "kind", "status"),
)
"""Filters, lists, destinations and rules that are switched on: few, and read whole."""

TAGS = Table(
    "api_tags",
    METADATA,
    Column("arn", LogText, primary_key=True),
    Column("key", LogText, primary_key=True),
    Column("value", LogText, nullable=False),
)

MEMBERS = Table(
    "api_members",
    METADATA,
    Column("region", LogText, primary_key=True),
    Column("administrator_id", String(12), primary_key=True),
    Column("account_id", String(12), primary_key=True),
    Column("email", LogText, nullable=False),
    Column("status", String(30), nullable=False),
    Column("invitation_id", String(32), nullable=True),  # null: never invited
    Column("invited_at", UtcTime, nullable=True),
    Column("of_organisation", Boolean, nullable=False),  # joined without an invitation
    Column("updated_at", UtcTime, nullable=False),
    Index("api_members_by_account", "account_id", "region"),
)

ORGANISATION = Table(
    "api_organisation",
    METADATA,
    Column("region", LogText, primary_key=True),
    Column("administrator_id", String(12), nullable=False),  # whom the management account named
    Column("auto_enable", String(10), nullable=False),  # NEW, ALL or NONE
    Column("features", Text, nullable=False),  # JSON: the same for each feature
)

DESTINATION_PLACES = Table(
    "destination_places",
    METADATA,
    Column("destination", ForeignKey(DESTINATIONS.c.name), primary_key=True),
    Column("account_id", LogText, primary_key=True),
    Column("region", LogText, primary_key=True),
)
"""The accounts and Regions whose findings a destination gets; one that has none here gets those of all."""
