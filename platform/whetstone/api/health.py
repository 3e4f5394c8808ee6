"""Is the process there (`/healthz`), and can it do its work (`/readyz`)?"""

import logging
from collections.abc import Callable

from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from contracts.fault import Fault
from whetstone.artifacts.disk import require_folders, require_room

log = logging.getLogger(__name__)


class NotMigrated(Exception):
    """The database's schema is older than the code."""


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, schema and artifact store answer, else 503 and which of them does not.

    A disk that is nearly full is told, and is no 503: jobs that run go on, and have to reach us.
    """
    checks = {"database": _database, "migrations": require_schema, "artifacts": _artifacts}
    results = {name: _try(check) for name, check in checks.items()}
    ready = all(result == "ok" for result in results.values())
    results["disk"] = _try(_disk)
    return JsonResponse({"status": "ok" if ready else "not ready", "checks": results}, status=200 if ready else 503)


def _try(check: Callable[[], None]) -> str:
    try:
        check()
    except (NotMigrated, Fault) as error:
        return str(error)
    except Exception as error:  # a probe reports whatever is wrong, and anybody may ask it: addresses stay in the log
        log.warning("not ready: %s", error)
        return type(error).__name__
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def require_schema() -> None:
    """Raises NotMigrated when the database lacks what this version's migrations make."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated("run `python manage.py migrate`")


def _artifacts() -> None:
    default_storage.exists("probe")
    require_folders()


def _disk() -> None:
    require_room()
