"""What no definition of a drive may hold, whichever request carries it."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from drives.models import Drive
from tests.conftest import Unchanged
from tests.factories import GIB, DriveFactory
from tests.wire import API, faults_of

DEFINITION = {"name": "new", "size": GIB, "media": "disk"}

SIZES = [
    0,
    -1,
    2**70,
    2**63,
    -(2**70),
    1.5,
    1e9,
    "x",
    "",
    " 1073741824",
    "-1073741824",
    "1e9",
    "0x40000000",
    "1_073_741_824",
    "1073741824\x00",
    "９" * 9,
    "9" * 2000,
    True,
    None,
    [],
    [GIB],
    {},
    1,  # under the storage's minimum
    64 * GIB + 1,  # over its maximum
]
NAMES = ["", " ", "x" * 256, "x" * 10_000, "a\x00b", "\ud800", 1, None, True, [], {}]
MEDIA = ["", "floppy", "DISK", "disk\x00", 1, None, [], {}, ["disk"], {"disk": 1}]
STORAGE_TYPES = ["", "floppy", "DSSD", "dssd-1", "../dssd", "a\x00", "x" * 33, 1, None, [], {}]
METAS = ["", "x", 1, None, [], [["k", "v"]]]
META_VALUES = [1, None, True, {}, [], {"nested": "value"}, "a\x00b", "\ud800", "x" * 10_001]
AFFINITIES = ["ssd", 1, None, {}, ["ssd", "ssd"]]
BOOLEANS = ["true", "yes", 1, 0, None, [], {}]

FAULTS: list[tuple[dict[str, Any], str]] = [
    *[({"size": value}, "size") for value in SIZES],
    *[({"name": value}, "name") for value in NAMES],
    *[({"media": value}, "media") for value in MEDIA],
    *[({"meta": value}, "meta") for value in METAS],
    *[({"meta": {"k": value}}, "meta.k") for value in META_VALUES],
    ({"meta": {"k" * 33: "v"}}, "meta." + "k" * 32),
    ({"meta": {f"k{i}": "v" for i in range(201)}}, "meta"),
    ({"meta": {"a\x00": "v"}}, "meta"),
    *[({"affinities": value}, "affinities") for value in AFFINITIES],
    ({"affinities": ["hdd"]}, "affinities.0"),
    ({"affinities": [[]]}, "affinities.0"),
    ({"tags": ["no-such-tag"]}, "tags.0"),
    ({"tags": "x"}, "tags"),
]
OF_PLACE = [({"storage_type": value}, "storage_type") for value in STORAGE_TYPES]
OF_SHARING = [({"allow_multimount": value}, "allow_multimount") for value in BOOLEANS]


def shown(value: Any) -> str:
    return ascii(value)[:40]


def send(api: APIClient, method: str, path: str, body: Any) -> Any:
    """Send the body as it is, even what the client's own encoder would refuse."""
    return api.generic(method, f"{API}/{path}", json.dumps(body), content_type="application/json")


@pytest.fixture
def drive(owner: User) -> Drive:
    return DriveFactory(owner=owner)


@pytest.mark.parametrize(("bad", "point"), [*FAULTS, *OF_PLACE, *OF_SHARING], ids=shown)
def test_create_refuses(
    api: APIClient, unchanged: Unchanged, bad: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = send(api, "POST", "drives/", DEFINITION | bad)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


@pytest.mark.parametrize(("bad", "point"), [*FAULTS, *OF_PLACE, *OF_SHARING], ids=shown)
def test_update_refuses(
    api: APIClient, drive: Drive, unchanged: Unchanged, bad: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = send(api, "PUT", f"drives/{drive.pk}/", DEFINITION | bad)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


@pytest.mark.parametrize(("bad", "point"), [*FAULTS, *OF_PLACE], ids=shown)
def test_clone_refuses(
    api: APIClient, drive: Drive, unchanged: Unchanged, bad: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = send(api, "POST", f"drives/{drive.pk}/action/?do=clone", bad)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


@pytest.mark.parametrize(("bad", "point"), [*FAULTS, *OF_PLACE, *OF_SHARING], ids=shown)
def test_resize_refuses(
    api: APIClient, drive: Drive, unchanged: Unchanged, bad: dict[str, Any], point: str
) -> None:
    with unchanged():
        response = send(
            api, "POST", f"drives/{drive.pk}/action/?do=resize", {"size": 2 * GIB} | bad
        )
    assert response.status_code == 400
    assert faults_of(response) == [("validation", point)]


@pytest.mark.parametrize("action", ["clone", "resize"])
def test_action_refuses_a_field_that_no_drive_has(
    api: APIClient, drive: Drive, unchanged: Unchanged, action: str
) -> None:
    body = {"size": 2 * GIB, "colour": "red"}
    with unchanged():
        response = send(api, "POST", f"drives/{drive.pk}/action/?do={action}", body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "colour")]


@pytest.mark.parametrize("missing", ["name", "size", "media"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_whole_definition_is_needed(
    api: APIClient, drive: Drive, unchanged: Unchanged, missing: str, method: str
) -> None:
    body = {name: value for name, value in DEFINITION.items() if name != missing}
    with unchanged():
        response = send(api, method, "drives/" if method == "POST" else f"drives/{drive.pk}/", body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", missing)]


@pytest.mark.parametrize("body", [[], "x", 1, None, [DEFINITION]])
@pytest.mark.parametrize("address", ["", "action/?do=clone", "action/?do=resize"])
def test_request_for_one_drive_takes_one_object(
    api: APIClient, drive: Drive, unchanged: Unchanged, body: Any, address: str
) -> None:
    with unchanged():
        response = send(api, "POST" if address else "PUT", f"drives/{drive.pk}/{address}", body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", None)]


@pytest.mark.parametrize("avoid", ["x", "1", "%00", "not,uuids", "-"])
@pytest.mark.parametrize("cloned", [False, True])
def test_avoid_takes_uuids_only(
    api: APIClient, drive: Drive, unchanged: Unchanged, avoid: str, cloned: bool
) -> None:
    path = f"drives/{drive.pk}/action/?do=clone&" if cloned else "drives/?"
    with unchanged():
        response = send(api, "POST", f"{path}avoid={avoid}", DEFINITION)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "avoid")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [{}],
        {"objects": [{"uuid": "x"}]},
        {"objects": [{"uuid": None}]},
        {"objects": [{"uuid": 7}]},
        {"objects": [{"uuid": True}]},
        {"objects": [{"uuid": []}]},
        {"objects": [{"uuid": "a\x00"}]},
    ],
    ids=shown,
)
def test_bulk_delete_refuses_what_is_no_uuid(
    api: APIClient, drive: Drive, unchanged: Unchanged, body: Any
) -> None:
    with unchanged():
        response = send(api, "DELETE", "drives/", body)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "uuid")]
