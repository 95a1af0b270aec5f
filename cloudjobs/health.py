"""Probes for whoever runs the service; neither asks for a login."""

from collections.abc import Callable

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from django_q.brokers import get_broker

from cloudjobs.patience import within
from drives.storage import StorageError, StorageHost, all_hosts

QUEUE_SECONDS = STORAGE_SECONDS = 2


@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """Answer 200: this process serves."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, queue and storage are usable, else 503 with the reasons."""
    checks = {"database": check_database, "queue": check_queue, "storage": check_storage}
    faults = {name: fault for name, check in checks.items() if (fault := fault_of(check))}
    if faults:
        return JsonResponse({"status": "unavailable", "reasons": faults}, status=503)
    return JsonResponse({"status": "ok"})


def fault_of(check: Callable[[], None]) -> str:
    """Return why a check fails, or nothing."""
    try:
        check()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def check_database() -> None:
    """The database answers and has every migration."""
    if missing_migrations():
        raise RuntimeError("migrations are missing; run manage.py migrate")


def missing_migrations() -> list[Migration]:
    """Return what `manage.py migrate` would apply, in its order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [migration for migration, _ in plan]


def check_queue() -> None:
    """The queue takes messages; in the database it is as usable as that."""
    within(QUEUE_SECONDS, get_broker().ping, "the readiness of the queue")


def check_storage() -> None:
    """Every storage host can be written to; one that hangs holds up neither this nor a thread."""
    faults = [f"{host.name}: {fault}" for host in all_hosts() if (fault := fault_of_storage(host))]
    if faults:
        raise StorageError(" ".join(faults))


def fault_of_storage(host: StorageHost) -> str:
    try:
        within(STORAGE_SECONDS, host.backend.check, f"the readiness of {host.name}")
    except (StorageError, OSError) as error:
        return str(error)
    return ""
