"""The schema's history; `upgrade` runs what a database is missing, without any file outside this package."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0020"  # a test compares it with the newest file in versions/

_HERE = Path(__file__).parent


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the schema up to date, or to a version, inside the caller's transaction."""
    from alembic import command  # a third of a second that only a new or old database has to pay

    command.upgrade(config(connection), to)


def config(connection: Connection | None = None) -> "Config":
    """Alembic's own configuration, made here so that no ini file has to be found."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(_HERE))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings
