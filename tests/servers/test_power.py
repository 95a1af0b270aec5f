from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from cloudjobs.api.exceptions import Refused
from drives.models import Drive
from jobs.models import Job
from servers import actions, operations
from servers.models import Server
from tests.conftest import Unchanged
from tests.wire import API, faults_of, time_json

REFUSING = "tests.hypervisors.RefusingHypervisor"
OFF = ["stop", "shutdown"]
ALL = ["start", *OFF]


def path(server: Server) -> str:
    return f"{API}/servers/{server.pk}/"


def do(api: APIClient, action: str, server: Server, query: str = "") -> Any:
    return api.post(f"{path(server)}action/?do={action}{query}", {})


def status_of(server: Server) -> str:
    return str(Server.objects.get(pk=server.pk).status)


@pytest.fixture
def running(api: APIClient, server: Server, run_jobs: Callable[[], None]) -> Server:
    do(api, "start", server)
    run_jobs()
    server.refresh_from_db()
    return server


def test_server_starts(api: APIClient, server: Server, run_jobs: Callable[[], None]) -> None:
    response = do(api, "start", server)
    assert response.status_code == 202
    assert response.json() == {"action": "start", "result": "success", "uuid": str(server.pk)}
    shown = api.get(path(server)).json()
    assert (shown["status"], shown["runtime"]) == ("starting", None)
    run_jobs()
    shown = api.get(path(server)).json()
    server.refresh_from_db()
    since = {"active_since": time_json(server.active_since), "nics": []}
    assert (shown["status"], shown["runtime"]) == ("running", since)


@pytest.mark.parametrize("action", OFF)
def test_server_stops(
    api: APIClient, running: Server, run_jobs: Callable[[], None], action: str
) -> None:
    response = do(api, action, running)
    assert response.status_code == 202
    assert response.json() == {"action": action, "result": "success", "uuid": str(running.pk)}
    assert status_of(running) == "stopping"
    run_jobs()
    shown = api.get(path(running)).json()
    assert (shown["status"], shown["runtime"]) == ("stopped", None)


def test_server_with_drives_starts_and_stops(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None]
) -> None:
    before = api.get(path(full_server)).json()
    for action, status in (("start", "running"), ("stop", "stopped"), ("start", "running")):
        assert do(api, action, full_server).status_code == 202
        run_jobs()
        assert status_of(full_server) == status
    do(api, "shutdown", full_server)
    run_jobs()
    assert api.get(path(full_server)).json() == before
    assert set(Drive.objects.values_list("status", flat=True)) == {"mounted"}


def test_body_and_avoid_may_be_given(api: APIClient, server: Server) -> None:
    response = api.post(f"{path(server)}action/?do=start&avoid={uuid4()},{server.pk}")
    assert response.status_code == 202


def test_power_shows_no_job(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None]
) -> None:
    drive = api.get(path(full_server)).json()["drives"][0]["drive"]["resource_uri"]
    for action in ("start", "stop", "start", "shutdown"):
        do(api, action, full_server)
        for _ in range(2):
            assert api.get(path(full_server)).json()["jobs"] == []
            assert api.get(drive).json()["jobs"] == []
            assert api.get(f"{API}/jobs/").json()["objects"] == []
            run_jobs()
    assert set(Job.objects.values_list("state", "is_internal")) == {("success", True)}


@pytest.mark.parametrize(
    ("action", "statuses"),
    [
        ("start", ["starting", "running", "stopping", "unavailable"]),
        ("stop", ["stopped", "starting", "stopping", "unavailable"]),
        ("shutdown", ["stopped", "starting", "stopping", "unavailable"]),
    ],
)
def test_server_in_another_status_is_left_alone(
    api: APIClient, server: Server, unchanged: Unchanged, action: str, statuses: list[str]
) -> None:
    for status in statuses:
        Server.objects.update(status=status)
        with unchanged():
            response = do(api, action, server)
        assert response.status_code == 403
        assert faults_of(response) == [("permission", "status")]


@pytest.mark.parametrize(
    "status", ["creating", "cloning_src", "cloning_dst", "resizing", "unavailable"]
)
def test_server_does_not_start_before_its_disks_are_ready(
    api: APIClient, full_server: Server, disks: list[Drive], unchanged: Unchanged, status: str
) -> None:
    Drive.objects.filter(pk=disks[1].pk).update(status=status)
    with unchanged():
        response = do(api, "start", full_server)
    assert response.status_code == 403
    assert faults_of(response) == [("permission", "drives")]


@pytest.mark.parametrize(("status", "answer"), [("cloning_src", 202), ("cloning_dst", 403)])
def test_server_starts_while_its_cd_is_only_read(
    api: APIClient, full_server: Server, cd: Drive, status: str, answer: int
) -> None:
    Drive.objects.filter(pk=cd.pk).update(status=status)
    assert do(api, "start", full_server).status_code == answer


def test_server_and_clone_start_only_after_the_clone(
    api: APIClient, full_server: Server, run_jobs: Callable[[], None]
) -> None:
    do(api, "clone", full_server)
    both = list(Server.objects.all())
    assert [do(api, "start", server).status_code for server in both] == [403, 403]
    run_jobs()
    assert [do(api, "start", server).status_code for server in both] == [202, 202]


def test_server_that_cannot_start_is_stopped(
    api: APIClient, server: Server, run_jobs: Callable[[], None], settings: Settings
) -> None:
    settings.HYPERVISOR = REFUSING
    do(api, "start", server)
    run_jobs()
    shown = api.get(path(server)).json()
    assert (shown["status"], shown["runtime"]) == ("stopped", None)
    job = Job.objects.get()
    assert (job.state, job.error) == ("failed", "There is no host for it.")


@pytest.mark.parametrize("action", OFF)
def test_server_that_cannot_stop_runs_on(
    api: APIClient,
    running: Server,
    run_jobs: Callable[[], None],
    settings: Settings,
    action: str,
) -> None:
    before = api.get(path(running)).json()
    settings.HYPERVISOR = REFUSING
    do(api, action, running)
    run_jobs()
    assert api.get(path(running)).json() == before


def test_move_loses_against_one_that_came_first(server: Server, unchanged: Unchanged) -> None:
    stale = Server.objects.get(pk=server.pk)
    assert server.become(Server.Status.STARTING, Server.Status.STOPPED)
    with unchanged():
        assert not stale.become(Server.Status.STARTING, Server.Status.STOPPED)
        with pytest.raises(Refused):
            actions.change_power(stale, operations.StartServer, Server.Status.STOPPED)


def test_late_end_of_a_job_leaves_the_server_as_it_is(
    api: APIClient, server: Server, run_jobs: Callable[[], None]
) -> None:
    do(api, "start", server)
    Server.objects.update(status="unavailable")
    run_jobs()
    assert status_of(server) == "unavailable"


@pytest.mark.parametrize("action", ALL)
def test_strangers_change_no_power(
    stranger_api: APIClient,
    anonymous_api: APIClient,
    running: Server,
    unchanged: Unchanged,
    action: str,
) -> None:
    with unchanged():
        for client, status, point in (
            (stranger_api, 404, "notexist"),
            (anonymous_api, 401, "permission"),
        ):
            response = do(client, action, running)
            assert response.status_code == status
            assert faults_of(response) == [(point, None)]


@pytest.mark.parametrize("action", [*ALL, "clone"])
@pytest.mark.parametrize("uuid", [uuid4(), "not-a-uuid", "1"])
def test_server_that_never_was_is_not_there(api: APIClient, uuid: Any, action: str) -> None:
    response = api.post(f"{API}/servers/{uuid}/action/?do={action}", {})
    assert response.status_code == 404
    assert faults_of(response) == [("notexist", None)]


@pytest.mark.parametrize("action", ["", "explode", "START", "resize", "open_vnc", "%00"])
def test_action_that_is_none_is_refused(
    api: APIClient, server: Server, unchanged: Unchanged, action: str
) -> None:
    with unchanged():
        response = do(api, action, server)
    assert response.status_code == 400
    assert faults_of(response) == [("validation", "do")]
