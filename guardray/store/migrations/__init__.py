"""Steps from each older schema to the next. Alembic is imported only where a store really needs a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from guardray.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config


def upgrade(connection: Connection, revision: str | None) -> None:
    """Bring a store from this revision (null: an empty database) to the program's, in the open transaction.

    Raises StoreError when the program does not know the revision: a newer guardray has written it.
    """
    # Alembic takes longer to import than a whole store takes to open.
    from alembic import command

    if revision is not None:
        check_known(connection, revision)
    command.upgrade(_config(connection), "head")


def check_known(connection: Connection, revision: str) -> None:
    """Raise StoreError when the program does not know the revision: a newer guardray has written it."""
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(_config(connection)).walk_revisions()}
    if revision not in known:
        raise StoreError(f"its schema {revision!r} is of a newer guardray: upgrade this program, or use another store")


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "guardray.store:migrations")
    return config
