import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from jobs.actions import JobSpec, submit
from tests.factories import DriveFactory
from tests.wire import API


def objects(api: APIClient, path: str) -> list[dict[str, Any]]:
    response = api.get(f"{API}/{path}")
    assert response.status_code == 200
    return json.loads(response.getvalue())["objects"]


@pytest.mark.parametrize("path", ["drives/", "drives/detail/"])
@pytest.mark.parametrize("limit", ["", "&limit=0"])
def test_lists_are_narrowed_to_the_fields(
    api: APIClient, owner: User, path: str, limit: str
) -> None:
    drive = DriveFactory(owner=owner)
    shown = objects(api, f"{path}?fields=uuid,status{limit}")
    assert shown == [{"status": "unmounted", "uuid": str(drive.pk)}]


def test_short_list_shows_any_field_that_is_asked_for(api: APIClient, owner: User) -> None:
    DriveFactory(owner=owner, name="a")
    assert objects(api, "drives/?fields=name,jobs") == [{"jobs": [], "name": "a"}]


def test_object_is_narrowed_to_the_fields(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner, name="a")
    response = api.get(f"{API}/drives/{drive.pk}/?fields=name,size")
    assert response.json() == {"name": "a", "size": drive.size}


def test_job_is_narrowed_with_all_below_it(api: APIClient, owner: User) -> None:
    submit(JobSpec("test_noted", children=(JobSpec("test_noted"),)), owner)
    shown = {"state": "started", "children": [{"state": "started", "children": []}]}
    assert objects(api, "jobs/?fields=state,children") == [shown]


def test_unknown_field_is_ignored(api: APIClient, owner: User) -> None:
    drive = DriveFactory(owner=owner)
    assert objects(api, "drives/?fields=uuid,colour") == [{"uuid": str(drive.pk)}]


def test_answer_to_a_change_is_whole(api: APIClient) -> None:
    body = {"name": "a", "size": 1024**3, "media": "disk"}
    response = api.post(f"{API}/drives/?fields=uuid", body)
    assert response.json()["objects"][0]["name"] == "a"
