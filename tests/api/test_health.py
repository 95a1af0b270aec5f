import os
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from cloudjobs import health


def hosts_in(root: Path) -> dict[str, Any]:
    backend = "drives.storage.file.FileBackend"
    return {"only": {"storage_type": "dssd", "backend": backend, "options": {"root": str(root)}}}


def test_alive_asks_nobody(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_when_all_is_usable(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.STORAGE_HOSTS = hosts_in(tmp_path / "images")
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_not_ready_while_a_storage_folder_is_a_file(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "images").touch()
    settings.STORAGE_HOSTS = hosts_in(tmp_path / "images")
    response = client.get("/readyz")
    assert response.status_code == 503
    body = response.json()
    assert body["status"] == "unavailable"
    assert list(body["reasons"]) == ["storage"]
    reason = "StorageError: only: The storage folder cannot be made: File exists."
    assert body["reasons"]["storage"] == reason


@pytest.mark.django_db
def test_storage_that_hangs_holds_up_no_thread(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STORAGE_HOSTS = hosts_in(tmp_path / "images")
    released = Event()
    monkeypatch.setattr(health, "STORAGE_SECONDS", 0.1)
    monkeypatch.setattr(os, "access", lambda *_: released.wait(60))
    reasons = [client.get("/readyz").json()["reasons"]["storage"] for _ in range(2)]
    released.set()
    assert "did not answer within 0.1 s" in reasons[0]
    assert "has been hanging since it was asked before" in reasons[1]


@pytest.mark.django_db
def test_queue_that_hangs_holds_up_no_thread(
    client: Client, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = Event()

    class Broker:
        """A Redis on a machine that is away."""

        def ping(self) -> None:
            released.wait(60)

    monkeypatch.setattr(health, "QUEUE_SECONDS", 0.1)
    monkeypatch.setattr(health, "get_broker", Broker)
    reasons = client.get("/readyz").json()["reasons"]
    released.set()
    assert list(reasons) == ["queue"]
    assert "did not answer within 0.1 s" in reasons["queue"]


@pytest.mark.django_db
def test_not_ready_after_a_storage_folder_is_gone(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.STORAGE_HOSTS = hosts_in(tmp_path / "images")
    assert client.get("/readyz").status_code == 200
    (tmp_path / "images").rmdir()
    assert client.get("/readyz").status_code == 503


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.STORAGE_HOSTS = hosts_in(tmp_path / "images")
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(
        *max(key for key in recorder.applied_migrations() if key[0] == "jobs")
    )
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "migrate" in response.json()["reasons"]["database"]
