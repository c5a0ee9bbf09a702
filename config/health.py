"""Health checks for whatever starts, restarts and balances Alta."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

_migrated = False


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process can answer at all."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when requests can be served: the database answers and is migrated; else 503."""
    global _migrated  # once migrated, a running release stays so
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return _unready("database")
    return JsonResponse({"status": "ok"}) if _migrated else _unready("migrations")


def _unready(what: str) -> JsonResponse:
    return JsonResponse({"status": "unready", "waiting_for": what}, status=503)
