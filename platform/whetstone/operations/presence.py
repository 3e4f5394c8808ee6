"""Is there a platform for a command to work on?"""

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from whetstone.api.health import NotMigrated, require_schema


def require_platform() -> None:
    """Raises CommandError, with what to do, when the database or this version's tables are not there."""
    try:
        require_schema()
    except OperationalError as error:
        raise CommandError(f"The database does not answer: {error}") from None
    except NotMigrated:
        raise CommandError(_what_to_do()) from None


def _what_to_do() -> str:
    if MigrationRecorder(connection).applied_migrations():
        return "The database is of an older version. Run `manage.py migrate` first."
    return (
        f"The platform in {settings.HOME} was never started. Say where it lives with WHETSTONE_HOME or DATABASE_URL; "
        "or start it with `manage.py up`."
    )
