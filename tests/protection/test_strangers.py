"""What people who are not logged in may send: nothing that fills the disk before it is refused."""

from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client

from accounts.models import User
from cloudjobs.api.strangers import MOST_WAITED_FOR, strangers_turn
from drives.models import Drive
from tests.accounts.test_basic_authentication import ask
from tests.factories import MIB, PASSWORD
from tests.wire import API


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


@pytest.fixture
def crowd() -> Iterator[ExitStack]:
    """As many strangers as are waited for, who send nothing until they are let go."""
    with ExitStack() as stack:
        for _ in range(MOST_WAITED_FOR):
            stack.enter_context(strangers_turn())
        yield stack


def statuses_of_logins(user: User) -> list[int]:
    said = {"username": user.email, "password": PASSWORD}
    address = f"{API}/accounts/action/?do=login"
    by_api = Client().post(address, said, content_type="application/json")
    return [by_api.status_code, Client().post("/login/", said).status_code]


def test_strangers_who_send_nothing_leave_threads_to_others(
    owner: User, web: Client, crowd: ExitStack
) -> None:
    assert statuses_of_logins(owner) == [503, 503]
    kind = "application/x-www-form-urlencoded"
    assert Client().post(f"{API}/drives/", "a=b", content_type=kind).status_code == 503
    assert ask(Client(), owner.email).status_code == 200
    assert web.post("/profile/", {"first_name": "A", "clone_naming": "NONE"}).status_code == 302
    assert web.get("/jobs/").status_code == 200
    crowd.close()
    assert statuses_of_logins(owner) == [200, 302]


def test_form_that_breaks_off_gives_its_turn_back(owner: User) -> None:
    class BrokenOff(BytesIO):
        def read(self, *args: Any) -> bytes:
            raise OSError("the client has gone")

    client = Client(enforce_csrf_checks=True)
    for _ in range(MOST_WAITED_FOR + 1):
        kind = "application/x-www-form-urlencoded"
        body = {"wsgi.input": BrokenOff(), "CONTENT_LENGTH": "10", "CONTENT_TYPE": kind}
        assert client.post("/login/", **body).status_code == 403
    assert statuses_of_logins(owner) == [200, 302]


def test_users_file_is_taken(web: Client, storage: object, spooled: list[Any]) -> None:
    assert web.post("/drives/upload/", form()).status_code == 302
    assert Drive.objects.get().name == "mine"
    assert spooled
