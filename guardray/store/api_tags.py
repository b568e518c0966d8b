"""Tags of what the API made, by ARN."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, delete, insert, select

from guardray.store.api_schema import TAGS


def tags_of(connection: Connection, arn: str) -> dict[str, str]:
    """The tags of a resource, by key."""
    query = select(TAGS.c.key, TAGS.c.value).where(TAGS.c.arn == arn).order_by(TAGS.c.key)
    return {row.key: row.value for row in connection.execute(query)}


def set_tags(connection: Connection, arn: str, tags: Mapping[str, str]) -> None:
    """Give a resource more tags; one whose key is there gets the new value."""
    remove_tags(connection, arn, tags)
    if tags:
        connection.execute(insert(TAGS), [{"arn": arn, "key": key, "value": value} for key, value in tags.items()])


def remove_tags(connection: Connection, arn: str, keys: Collection[str] | None = None) -> None:
    """Take tags off a resource: these, or all."""
    condition = [TAGS.c.arn == arn]
    if keys is not None:
        condition.append(TAGS.c.key.in_(list(keys)))
    connection.execute(delete(TAGS).where(*condition))
