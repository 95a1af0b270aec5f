import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from tests.factories import GIB, DriveFactory
from tests.wire import API

DEFINITION = {"name": "new", "size": GIB, "media": "disk"}


@pytest.mark.parametrize("method", ["get", "head"])
def test_reading_without_slash_is_redirected_with_its_query(api: APIClient, method: str) -> None:
    response = getattr(api, method)(f"{API}/drives?limit=5&name=a%2Cb")
    assert response.status_code == 301
    assert response["Location"] == f"{API}/drives/?limit=5&name=a%2Cb"


def test_redirect_stays_on_this_server(anonymous_api: APIClient) -> None:
    response = anonymous_api.get("/api//elsewhere.example/x")
    assert response["Location"] == "/api//elsewhere.example/x/"


def test_post_without_slash_is_served(api: APIClient) -> None:
    response = api.post(f"{API}/drives", DEFINITION)
    assert response.status_code == 201
    assert Drive.objects.get().name == "new"


def test_action_without_slash_is_served_with_its_query(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    response = api.post(f"{API}/drives/{drive.pk}/action?do=clone", {})
    assert response.status_code == 202


def test_put_without_slash_is_served(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    response = api.put(f"{API}/drives/{drive.pk}", DEFINITION)
    assert response.status_code == 200
    assert response.json()["name"] == "new"


def test_delete_without_slash_is_served(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    response = api.delete(f"{API}/drives/{drive.pk}")
    assert response.status_code == 204
    assert Drive.objects.get().status == Drive.Status.DELETING
