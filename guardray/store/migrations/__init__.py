"""Steps from each older schema to the next. Alembic is imported only where a store really needs a step."""

from __future__ import annotations

from sqlalchemy import Connection

from guardray.errors import StoreError


def upgrade(connection: Connection, revision: str | None) -> None:
    """Bring a store from this revision (null: an empty database) to the program's, in the open transaction.

    Raises StoreError when the program does not know the revision: a newer guardray has written it.
    """
    # Alembic takes longer to import than a whole store takes to open.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "guardray.store:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(f"its schema {revision!r} is of a newer guardray: upgrade this program, or use another store")
    command.upgrade(config, "head")
