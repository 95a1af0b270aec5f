"""What people who are not logged in may send: nothing that fills the disk before it is refused."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client

from accounts.models import User
from drives.models import Drive
from tests.factories import MIB, PASSWORD


@pytest.fixture
def spooled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The names of the files that Django has begun to write."""
    names: list[Any] = []
    new_file = TemporaryFileUploadHandler.new_file

    def noted(self: Any, *args: Any, **kwargs: Any) -> None:
        names.append(args)
        new_file(self, *args, **kwargs)

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", noted)
    return names


def form() -> dict[str, Any]:
    image = SimpleUploadedFile("disk.img", b"x" * (3 * MIB))
    return {"image": image, "name": "mine", "media": "disk", "storage_type": "dssd"}


@pytest.mark.parametrize("page", ["/drives/upload/", "/login/", "/admin/login/", "/profile/"])
@pytest.mark.parametrize("checks", [True, False])
def test_strangers_file_is_refused_unread(
    db: None, spooled: list[Any], page: str, checks: bool
) -> None:
    response = Client(enforce_csrf_checks=checks).post(page, form())
    assert response.status_code == 413
    assert "Log in first" in response.content.decode()
    assert spooled == []


def test_stranger_may_log_in_by_any_form(owner: User) -> None:
    client = Client()
    assert (
        client.post("/login/", {"username": owner.email, "password": PASSWORD}).status_code == 302
    )


def test_users_file_is_taken(web: Client, storage: object, spooled: list[Any]) -> None:
    assert web.post("/drives/upload/", form()).status_code == 302
    assert Drive.objects.get().name == "mine"
    assert spooled
