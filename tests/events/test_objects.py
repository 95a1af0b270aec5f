"""What events show: the objects as their owner's GET answers them, and nobody else's."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from drives.cloning import clone_drive
from drives.models import Drive
from events.objects import changed_lately, read_events
from jobs.models import Job
from servers.actions import CloneWishes, clone_server
from tests.factories import DriveFactory, MountFactory, ServerFactory, TagFactory
from tests.wire import API, assert_as_many


def sent(owner: User, *things: tuple[str, Any]) -> dict[str, Any]:
    """Return what a user is sent of things, by path."""
    frames = read_events(str(owner.pk), {(kind, str(uuid)) for kind, uuid in things})
    events = [json.loads(text) for text in frames.values()]
    assert all(set(event) == {"resource_type", "resource_uri", "object"} for event in events)
    return {event["resource_uri"]: event["object"] for event in events}


def assert_as_answered(api: APIClient, objects: dict[str, Any], *paths: str) -> None:
    """See that these are the objects, each as GET answers it."""
    assert objects == {path: api.get(path).json() for path in paths}


@pytest.fixture
def drive(owner: User, storage: Any) -> Drive:
    drive = DriveFactory(owner=owner)
    TagFactory(owner=owner, resources=[drive])
    return drive


def test_drive_is_shown_as_get_answers_it(owner: User, api: APIClient, drive: Drive) -> None:
    clone = clone_drive(drive.pk, owner, {})
    shown = sent(owner, ("drives", drive.pk), ("drives", clone.pk))
    paths = [f"{API}/drives/{each.pk}/" for each in (drive, clone)]
    assert_as_answered(api, shown, *paths)
    assert len(shown[paths[0]]["jobs"]) == 1


def test_server_is_shown_as_get_answers_it(owner: User, api: APIClient, storage: Any) -> None:
    server = MountFactory(server__owner=owner).server
    assert_as_answered(api, sent(owner, ("servers", server.pk)), f"{API}/servers/{server.pk}/")


def test_profile_is_shown_as_get_answers_it(owner: User, api: APIClient) -> None:
    assert_as_answered(api, sent(owner, ("profile", owner.pk)), f"{API}/profile/")


def test_job_comes_with_those_that_sum_it_up(owner: User, api: APIClient, storage: Any) -> None:
    server = ServerFactory(owner=owner)
    for _ in range(2):
        MountFactory(server=server)
    clone_server(server.pk, owner, CloneWishes())
    root, disk, _ = Job.objects.order_by("lft")
    shown = sent(owner, ("jobs", disk.pk))
    assert_as_answered(api, shown, f"{API}/jobs/{root.pk}/", f"{API}/jobs/{disk.pk}/")


def test_jobs_of_one_tree_take_as_many_queries_as_one(owner: User, storage: Any) -> None:
    server = ServerFactory(owner=owner)
    for _ in range(5):
        MountFactory(server=server)
    clone_server(server.pk, owner, CloneWishes())
    disks = [("jobs", str(job.pk)) for job in Job.objects.leaves()]
    queries = []
    for things in (disks[:1], disks):
        with CaptureQueriesContext(connection) as captured:
            frames = read_events(str(owner.pk), set(things))
        assert len(frames) == len(things) + 1
        queries.append([query["sql"] for query in captured])
    assert_as_many(*queries)


def test_what_is_gone_is_null(owner: User, drive: Drive) -> None:
    key = drive.pk
    drive.delete()
    assert sent(owner, ("drives", key)) == {f"{API}/drives/{key}/": None}


def test_nothing_of_another_user_is_shown(
    owner: User, stranger: User, drive: Drive, storage: Any
) -> None:
    server = ServerFactory(owner=owner)
    clone_drive(drive.pk, owner, {})
    things = [("drives", drive.pk), ("servers", server.pk), ("jobs", Job.objects.get().pk)]
    assert set(sent(stranger, *things).values()) == {None}
    assert sent(stranger, ("profile", owner.pk)) == {}


def test_kinds_without_events_are_left_out(owner: User) -> None:
    assert sent(owner, ("snapshots", owner.pk)) == {}


def test_user_who_was_deleted_is_sent_nothing(owner: User) -> None:
    key = owner.pk
    owner.delete()
    assert read_events(str(key), {("profile", str(key))}) == {}


def test_sweep_finds_what_jobs_did_lately(owner: User, stranger: User, drive: Drive) -> None:
    clone = clone_drive(drive.pk, owner, {})
    ((found, things),) = changed_lately({str(owner.pk): 60, str(stranger.pk): 90})
    assert found == str(owner.pk)
    jobs, drives = {("jobs", str(Job.objects.get().pk))}, {drive.pk, clone.pk}
    assert set(things) == jobs | {("drives", str(uuid)) for uuid in drives}
    assert changed_lately({str(stranger.pk): 60}) == []
    assert changed_lately({str(owner.pk): 0, str(stranger.pk): 60}) == []
