"""A server's clone that is cancelled and retried: its disks, their places, and its servers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from drives.models import Drive
from jobs import runner
from jobs.models import Job
from servers.models import Mount, Server
from tests.conftest import Unchanged
from tests.factories import MIB, DriveFactory
from tests.trees import jobs_of, states_of, steer
from tests.wire import API, faults_of

Steer = Callable[[Job, str], Any]
Places = set[tuple[str, str, str]]


@pytest.fixture
def clone(api: APIClient, full_server: Server) -> Server:
    """The clone of the full server; its disks wait to be copied."""
    uri = f"{API}/servers/{full_server.pk}/action/?do=clone"
    return Server.objects.get(pk=api.post(uri, {}).json()["uuid"])


@pytest.fixture
def root(clone: Server) -> Job:
    return Job.objects.roots().get()


@pytest.fixture
def do(api: APIClient, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Steer:
    """Cancel or retry a job as a request does, with what comes after its commit."""

    def request(job: Job, what: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return steer(api, job, what)

    return request


def places(server: Server) -> Places:
    """Return where the server has which drive."""
    mounts = server.mounts.select_related("drive")
    return {(mount.device, mount.dev_channel, mount.drive.name) for mount in mounts}


def statuses(drives: Any) -> set[str]:
    return {Drive.objects.get(pk=drive.pk).status for drive in drives}


def test_disks_go_and_cd_and_server_stay(
    clone: Server, root: Job, disks: list[Drive], cd: Drive, do: Steer
) -> None:
    assert do(root, "cancel").status_code == 200
    assert states_of(root) == ["cancelled"] * 3
    assert places(clone) == {("ide", "0:0", "cd")}
    assert set(Drive.objects.all()) == {*disks, cd}
    assert statuses(disks) == {"mounted"}


def test_no_byte_of_the_clone_stays(
    root: Job, disks: list[Drive], do: Steer, storage: Path
) -> None:
    do(root, "cancel")
    images = {path.stem for path in storage.rglob("*") if path.suffix in {".raw", ".partial"}}
    assert images == {str(pk) for pk in Drive.objects.values_list("pk", flat=True)}


def test_job_shows_what_is_left(
    api: APIClient, full_server: Server, clone: Server, root: Job, disks: list[Drive], do: Steer
) -> None:
    body = do(root, "cancel").json()
    servers = [f"{API}/servers/{server.pk}/" for server in (full_server, clone)]
    assert body["resources"] == servers
    shown = [child["resources"] for child in body["children"]]
    assert shown == [[f"{API}/drives/{disk.pk}/"] for disk in disks]


def test_disk_that_was_copied_already_stays(
    clone: Server, root: Job, do: Steer, disks: list[Drive]
) -> None:
    runner.run_next()
    do(root, "cancel")
    assert states_of(root) == ["cancelled", "success", "cancelled"]
    names = {name for _, _, name in places(clone)}
    assert len(names) == 2
    assert statuses(Drive.objects.filter(mounts__server=clone)) == {"mounted"}


def test_one_disk_is_cancelled_and_the_other_goes_on(
    api: APIClient, clone: Server, root: Job, do: Steer, run_jobs: Callable[[], None]
) -> None:
    do(jobs_of(root)[1], "cancel")
    assert states_of(root) == ["started", "cancelled", "started"]
    run_jobs()
    assert states_of(root) == ["cancelled", "cancelled", "success"]
    assert {place[:2] for place in places(clone)} == {("ide", "0:0"), ("virtio", "0:1")}
    assert api.post(f"{API}/servers/{clone.pk}/action/?do=start").status_code == 202


def test_disks_come_back_to_their_places(
    api: APIClient, clone: Server, root: Job, do: Steer, run_jobs: Callable[[], None]
) -> None:
    uri = f"{API}/servers/{clone.pk}/"
    before = api.get(uri).json()
    do(root, "cancel")
    assert do(root, "retry").status_code == 200
    assert api.get(uri).json() == before
    assert states_of(root) == ["started"] * 3
    run_jobs()
    assert states_of(root) == ["success"] * 3
    assert set(Drive.objects.values_list("status", flat=True)) == {"mounted"}


def test_disk_that_comes_back_has_its_bytes(
    clone: Server, root: Job, do: Steer, run_jobs: Callable[[], None], storage: Path
) -> None:
    do(root, "cancel")
    do(root, "retry")
    run_jobs()
    large = Mount.objects.get(server=clone, device="virtio", dev_channel="0:0").drive
    with (storage / large.storage_host / f"{large.pk}.raw").open("rb") as image:
        assert image.read(3 * MIB + 1) == b"x" * 3 * MIB + b"\0"


def test_channel_that_was_taken_meanwhile_is_left_to_who_has_it(
    clone: Server, root: Job, do: Steer, run_jobs: Callable[[], None]
) -> None:
    do(root, "cancel")
    other = DriveFactory(owner=clone.owner, name="other", status="mounted")
    Mount.objects.create(server=clone, drive=other, device="virtio", dev_channel="0:0")
    assert do(root, "retry").status_code == 200
    run_jobs()
    found = {place[:2]: place[2] for place in places(clone)}
    assert found[("virtio", "0:0")] == "other"
    assert len(found) == 3
    large, small = (Drive.objects.get(pk=job.params["drive"]) for job in jobs_of(root)[1:])
    assert (large.status, small.status) == ("unmounted", "mounted")


def test_same_channel_of_another_device_is_no_matter(clone: Server, root: Job, do: Steer) -> None:
    do(root, "cancel")
    other = DriveFactory(owner=clone.owner, name="other", status="mounted")
    Mount.objects.create(server=clone, drive=other, device="scsi", dev_channel="0:0")
    do(root, "retry")
    assert clone.mounts.count() == 4


def test_clone_of_a_server_that_was_deleted_meanwhile_is_not_retried(
    api: APIClient, clone: Server, root: Job, do: Steer
) -> None:
    do(root, "cancel")
    assert api.delete(f"{API}/servers/{clone.pk}/").status_code == 204
    answer = do(root, "retry")
    assert (answer.status_code, faults_of(answer)) == (403, [("permission", "resources")])
    assert states_of(root) == ["cancelled"] * 3


def test_clone_deleted_before_the_cancel_loses_its_disks_too(
    api: APIClient, clone: Server, root: Job, disks: list[Drive], cd: Drive, do: Steer
) -> None:
    api.delete(f"{API}/servers/{clone.pk}/")
    assert do(root, "cancel").status_code == 200
    assert set(Drive.objects.all()) == {*disks, cd}


def test_running_server_gets_no_disk_back(
    api: APIClient, clone: Server, root: Job, do: Steer, run_jobs: Callable[[], None]
) -> None:
    do(root, "cancel")
    api.post(f"{API}/servers/{clone.pk}/action/?do=start")
    run_jobs()
    do(root, "retry")
    assert places(clone) == {("ide", "0:0", "cd")}
    run_jobs()
    clone.refresh_from_db()
    assert (clone.status, states_of(root)) == ("running", ["success"] * 3)


def test_source_that_runs_is_not_cloned_again(
    api: APIClient,
    full_server: Server,
    root: Job,
    do: Steer,
    run_jobs: Callable[[], None],
    unchanged: Unchanged,
) -> None:
    do(root, "cancel")
    assert api.post(f"{API}/servers/{full_server.pk}/action/?do=start").status_code == 202
    run_jobs()
    with unchanged():
        response = do(root, "retry")
    assert (response.status_code, faults_of(response)) == (403, [("permission", "resources")])


def test_deleted_disk_of_the_source_keeps_the_whole_tree_as_it_is(
    api: APIClient,
    root: Job,
    disks: list[Drive],
    do: Steer,
    run_jobs: Callable[[], None],
    unchanged: Unchanged,
) -> None:
    do(root, "cancel")
    assert api.delete(f"{API}/drives/{disks[1].pk}/").status_code == 204
    run_jobs()
    with unchanged():
        assert do(root, "retry").status_code == 403


def test_tree_that_does_not_fit_keeps_everything_as_it_is(
    root: Job, do: Steer, settings: Any, unchanged: Unchanged
) -> None:
    """Each disk fits alone; the bytes of both do not."""
    do(root, "cancel")
    large, small = jobs_of(root)[1:]
    host = large.params["storage_host"]
    Job.objects.filter(pk=small.pk).update(params=small.params | {"storage_host": host})
    Job.objects.filter(pk=small.pk).update(weight=large.weight)
    options = settings.STORAGE_HOSTS[host]["options"]
    used = sum(f.stat().st_blocks * 512 for f in Path(options["root"]).iterdir())
    options["capacity"] = used + large.weight + small.weight // 2
    settings.STORAGE_HOSTS = dict(settings.STORAGE_HOSTS)
    with unchanged():
        response = do(root, "retry")
    assert (response.status_code, faults_of(response)) == (503, [("backend", None)])


def test_failed_disk_is_copied_again_where_it_is(
    clone: Server,
    root: Job,
    disks: list[Drive],
    do: Steer,
    storage: Path,
    run_jobs: Callable[[], None],
) -> None:
    image = storage / "dssd-1" / f"{disks[0].pk}.raw"
    away = image.rename(image.with_suffix(".away"))
    run_jobs()
    assert states_of(root) == ["failed", "failed", "success"]
    before = places(clone)
    away.rename(image)
    assert do(root, "retry").status_code == 200
    run_jobs()
    assert states_of(root) == ["success"] * 3
    assert places(clone) == before
    assert statuses(Drive.objects.all()) == {"mounted"}


def test_clone_without_disks_is_cancelled_and_retried(
    api: APIClient, server: Server, do: Steer, run_jobs: Callable[[], None]
) -> None:
    api.post(f"{API}/servers/{server.pk}/action/?do=clone", {})
    root = Job.objects.get()
    assert do(root, "cancel").json()["state"] == "cancelled"
    assert do(root, "retry").json()["state"] == "started"
    run_jobs()
    assert states_of(root) == ["success"]
    assert Server.objects.count() == 2


def test_power_job_cannot_be_cancelled(api: APIClient, server: Server, do: Steer) -> None:
    api.post(f"{API}/servers/{server.pk}/action/?do=start")
    assert do(Job.objects.get(), "cancel").status_code == 404
    server.refresh_from_db()
    assert server.status == "starting"


def test_stranger_steers_nothing(
    stranger_api: APIClient, anonymous_api: APIClient, root: Job, unchanged: Unchanged
) -> None:
    with unchanged():
        for job in jobs_of(root):
            assert steer(stranger_api, job, "cancel").status_code == 404
            assert steer(anonymous_api, job, "cancel").status_code == 401
