"""The tree of jobs behind a clone, and how its end shows on servers and drives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from drives.models import Drive
from jobs import runner
from jobs.models import Job
from jobs.reports import Reported
from servers.models import Server
from tests.conftest import Unchanged
from tests.factories import MIB
from tests.wire import API, job_json, related_json

Clone = dict[str, Any]


def path(server: Server) -> str:
    return f"{API}/servers/{server.pk}/"


def status_at(api: APIClient, uri: str) -> str:
    return str(api.get(uri).json()["status"])


def root_of(api: APIClient, clone: Clone) -> dict[str, Any]:
    """Return the root job as the API shows it."""
    return api.get(clone["jobs"][0]["resource_uri"]).json()


def new_disks(clone: Clone) -> list[str]:
    """Return the addresses of the clone's disks, the large one first."""
    disks = [one for one in clone["drives"] if one["device"] == "virtio"]
    return [one["drive"]["resource_uri"] for one in disks]


@pytest.fixture
def clone(api: APIClient, full_server: Server) -> Clone:
    """The answer to the request that clones the full server."""
    return api.post(f"{path(full_server)}action/?do=clone", {}).json()


def children() -> list[Job]:
    """Return the jobs of the large and the small disk."""
    return list(Job.objects.filter(level=1).order_by("lft"))


def test_tree_has_a_job_for_each_disk(
    api: APIClient, full_server: Server, disks: list[Drive], clone: Clone
) -> None:
    root = Job.objects.roots().get()
    shown = [
        job_json(
            child,
            operation="drive_clone",
            resources=[f"{API}/drives/{disk.pk}/", copy],
        )
        for child, disk, copy in zip(children(), disks, new_disks(clone), strict=True)
    ]
    expected = job_json(
        root,
        children=shown,
        operation="server_clone",
        resources=[path(full_server), clone["resource_uri"]],
    )
    assert root_of(api, clone) == expected
    assert api.get(f"{API}/jobs/").json()["objects"] == [expected]
    assert api.get(f"{API}/jobs/{children()[0].pk}/").json() == shown[0]


def test_each_new_drive_lists_its_own_job_and_each_server_the_root(
    api: APIClient, full_server: Server, disks: list[Drive], clone: Clone
) -> None:
    root = related_json("jobs", Job.objects.roots().get().pk)
    jobs = [related_json("jobs", child.pk) for child in children()]
    assert [api.get(uri).json()["jobs"] for uri in new_disks(clone)] == [[job] for job in jobs]
    for disk, job in zip(disks, jobs, strict=True):
        assert api.get(f"{API}/drives/{disk.pk}/").json()["jobs"] == [job]
    assert api.get(path(full_server)).json()["jobs"] == clone["jobs"] == [root]


def test_clone_ends_whole(
    api: APIClient, full_server: Server, clone: Clone, run_jobs: Callable[[], None], storage: Path
) -> None:
    before = api.get(path(full_server)).json()
    run_jobs()
    root = root_of(api, clone)
    assert {one["state"] for one in (root, *root["children"])} == {"success"}
    assert [one["data"] for one in (root, *root["children"])] == [{"progress": 100}] * 3
    assert set(Drive.objects.values_list("status", flat=True)) == {"mounted"}
    assert api.get(clone["resource_uri"]).json() == clone
    assert api.get(path(full_server)).json() == before
    for uri, size in zip(new_disks(clone), (3, 1), strict=True):
        copy = Drive.objects.get(pk=uri.split("/")[-2])
        with (storage / copy.storage_host / f"{copy.pk}.raw").open("rb") as image:
            assert image.read(size * MIB + 1) == b"x" * size * MIB + b"\0"


def test_root_ends_with_its_last_disk(api: APIClient, clone: Clone) -> None:
    seen = []
    first, last = children()
    Job.objects.filter(pk=first.pk).update(turn=last.turn + 1)
    for _ in (last, first):
        runner.run_next()
        seen.append((root_of(api, clone)["state"], status_at(api, new_disks(clone)[1])))
    assert seen == [("started", "mounted"), ("success", "mounted")]


def test_source_is_free_when_each_of_its_disks_is(
    api: APIClient, disks: list[Drive], clone: Clone
) -> None:
    seen = []
    for _ in children():
        runner.run_next()
        seen.append([Drive.objects.get(pk=disk.pk).status for disk in disks])
    assert seen == [["mounted", "cloning_src"], ["mounted", "mounted"]]


def test_progress_of_the_root_is_weighted_by_bytes(api: APIClient, clone: Clone) -> None:
    large, small = children()
    assert large.weight >= 3 * MIB
    assert small.weight >= MIB
    for child in (large, small):
        assert child.claim("worker:1")
    seen = [0]
    for child, share in ((small, 0.5), (large, 0.25), (small, 0.9), (large, 0.8)):
        child.report(Reported(int(child.weight * share), 0, "test"))
        child.refresh_from_db()
        mean = (large.bytes_done + small.bytes_done) / (large.weight + small.weight)
        seen.append(root_of(api, clone)["data"]["progress"])
        assert seen[-1] == int(mean * 100)
    assert seen == sorted(seen)


def test_server_without_disks_is_cloned_at_once(
    api: APIClient, server: Server, run_jobs: Callable[[], None]
) -> None:
    clone = api.post(f"{path(server)}action/?do=clone", {}).json()
    run_jobs()
    root = Job.objects.get()
    assert root_of(api, clone) == job_json(
        root,
        data={"progress": 100},
        operation="server_clone",
        resources=[path(server), clone["resource_uri"]],
        state="success",
    )


def test_server_with_a_cd_only_is_cloned_at_once(
    api: APIClient, full_server: Server, disks: list[Drive], run_jobs: Callable[[], None]
) -> None:
    full_server.mounts.filter(drive__in=disks).delete()
    clone = api.post(f"{path(full_server)}action/?do=clone", {}).json()
    run_jobs()
    assert (root_of(api, clone)["state"], root_of(api, clone)["children"]) == ("success", [])
    assert len(clone["drives"]) == 1


@pytest.fixture
def failed(disks: list[Drive], clone: Clone, storage: Path, run_jobs: Callable[[], None]) -> Clone:
    """The clone of a server whose large disk lost its image before it was copied."""
    (storage / "dssd-1" / f"{disks[0].pk}.raw").unlink()
    run_jobs()
    return clone


def test_failed_disk_lets_the_others_go_on(
    api: APIClient, disks: list[Drive], failed: Clone
) -> None:
    root = root_of(api, failed)
    reason = f"There is no image {disks[0].pk}."
    assert [one["state"] for one in (root, *root["children"])] == ["failed", "failed", "success"]
    assert [one["data"].get("error") for one in (root, *root["children"])] == [
        reason,
        reason,
        None,
    ]
    assert root["data"]["progress"] < 100
    assert [status_at(api, uri) for uri in new_disks(failed)] == ["unavailable", "mounted"]
    assert {Drive.objects.get(pk=disk.pk).status for disk in disks} == {"mounted"}


def test_failed_disk_is_deleted_and_the_clone_keeps_the_other(
    api: APIClient, failed: Clone, cd: Drive, run_jobs: Callable[[], None]
) -> None:
    bad, good = new_disks(failed)
    assert api.delete(bad).status_code == 204
    run_jobs()
    assert api.get(bad).status_code == 404
    shown = api.get(failed["resource_uri"]).json()
    kept = [one["drive"]["resource_uri"] for one in shown["drives"]]
    assert kept == [f"{API}/drives/{cd.pk}/", good]
    assert api.post(f"{failed['resource_uri']}action/?do=start").status_code == 202


def test_clone_with_a_failed_disk_does_not_start(
    api: APIClient, failed: Clone, unchanged: Unchanged
) -> None:
    with unchanged():
        response = api.post(f"{failed['resource_uri']}action/?do=start")
    assert response.status_code == 403


def test_failed_clone_goes_with_all_its_disks(
    api: APIClient, failed: Clone, run_jobs: Callable[[], None]
) -> None:
    response = api.delete(f"{failed['resource_uri']}?recurse=disks")
    assert response.status_code == 204
    run_jobs()
    assert [api.get(uri).status_code for uri in new_disks(failed)] == [404, 404]
    assert Drive.objects.count() == 3


def test_deleted_disk_vanishes_from_its_job(
    api: APIClient, clone: Clone, disks: list[Drive], run_jobs: Callable[[], None]
) -> None:
    run_jobs()
    api.delete(new_disks(clone)[0])
    run_jobs()
    large, small = root_of(api, clone)["children"]
    assert large["resources"] == [f"{API}/drives/{disks[0].pk}/"]
    assert len(small["resources"]) == 2


def test_clone_deleted_while_it_is_made_leaves_its_disks(
    api: APIClient, clone: Clone, run_jobs: Callable[[], None]
) -> None:
    assert api.delete(clone["resource_uri"]).status_code == 204
    run_jobs()
    assert [status_at(api, uri) for uri in new_disks(clone)] == ["unmounted", "unmounted"]
    assert Job.objects.roots().get().state == "success"


def test_clone_deleted_with_disks_that_are_being_made_is_refused(
    api: APIClient, clone: Clone, unchanged: Unchanged
) -> None:
    with unchanged():
        assert api.delete(f"{clone['resource_uri']}?recurse=disks").status_code == 503


def test_stranger_sees_no_job_of_it(
    stranger_api: APIClient, anonymous_api: APIClient, clone: Clone
) -> None:
    for job in (clone["jobs"][0]["resource_uri"], f"{API}/jobs/{children()[0].pk}/"):
        assert stranger_api.get(job).status_code == 404
        assert anonymous_api.get(job).status_code == 401
