"""The admin: every page opens, the job tree is a tree, and cloning is the API's own action."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.db.models.signals import pre_save
from django.test import Client
from django.urls import reverse

from accounts.models import User
from drives.models import Drive
from jobs.actions import submit
from jobs.models import Job
from servers.models import Server
from tests.factories import (
    DriveFactory,
    KeyPairFactory,
    LibraryEntryFactory,
    MountFactory,
    NicFactory,
    ServerFactory,
    SnapshotFactory,
    TagFactory,
)
from tests.html import body_of, text_of
from tests.trees import inner, jobs_of, leaf

OURS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in {"accounts", "drives", "jobs", "keypairs", "servers", "tags"}
]


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", "secret"))
    return client


@pytest.fixture
def server(storage: object) -> Server:
    mount = MountFactory()
    NicFactory(server=mount.server)
    return mount.server


def page(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_list_and_object_open(operator: Client, server: Server, model: type[Model]) -> None:
    submit(inner(leaf(10), leaf(20)), server.owner)
    TagFactory(owner=server.owner, resources=[server])
    LibraryEntryFactory()
    KeyPairFactory(owner=server.owner)
    assert operator.get(page(model, "changelist")).status_code == 200
    for row in model._default_manager.all()[:2]:
        assert operator.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("key", ["nonsense", "0", "12345678-1234-1234-1234-123456789abc"])
def test_objects_have_no_page_on_the_site(operator: Client, key: str) -> None:
    kind = ContentType.objects.get_for_model(Drive)
    assert operator.get(f"/admin/r/{kind.pk}/{key}/").status_code == 404


def test_jobs_can_only_be_looked_at(operator: Client, server: Server) -> None:
    job = submit(leaf(10), server.owner)
    assert operator.get(page(Job, "add")).status_code == 403
    assert operator.post(page(Job, "change", job.pk), {"state": "success"}).status_code == 403
    assert operator.post(page(Job, "delete", job.pk), {"post": "yes"}).status_code == 403
    job.refresh_from_db()
    assert job.state == "started"


def test_sub_jobs_stand_indented_below_their_root(operator: Client, server: Server) -> None:
    root = submit(inner(leaf(10), leaf(20)), server.owner)
    html = operator.get(page(Job, "changelist")).content.decode()
    places = [html.index(str(job.pk)) for job in jobs_of(root)]
    assert places == sorted(places)
    assert html.count("padding-left:32px") == 2


@pytest.mark.parametrize(
    ("factory", "status"),
    [(DriveFactory, "cloning_src"), (SnapshotFactory, "deleting"), (ServerFactory, "starting")],
)
def test_change_of_a_name_leaves_the_status_to_jobs(
    operator: Client, storage: object, factory: Any, status: str
) -> None:
    row = factory()
    parts = {f"{part}-{n}_FORMS": "0" for part in ("mounts", "nics") for n in ("TOTAL", "INITIAL")}

    def move(sender: type[Model], **kwargs: Any) -> None:
        sender._default_manager.update(status=status)

    pre_save.connect(move, sender=type(row))
    try:
        said = {"name": "new", "meta": "{}", **parts}
        assert operator.post(page(type(row), "change", row.pk), said).status_code == 302
    finally:
        pre_save.disconnect(move, sender=type(row))
    row.refresh_from_db()
    assert (row.name, row.status) == ("new", status)


@pytest.mark.parametrize("factory", [DriveFactory, SnapshotFactory])
def test_change_of_what_was_deleted_meanwhile_is_told(
    operator: Client, storage: object, factory: Any
) -> None:
    row = factory()
    asked: list[str] = []

    def delete_once_read(execute: Any, sql: str, *rest: Any) -> Any:
        if f'"{row._meta.db_table}"' in sql:
            asked.append(sql)
            if len(asked) == 2:
                type(row).objects.filter(pk=row.pk).delete()
        return execute(sql, *rest)

    with connection.execute_wrapper(delete_once_read):
        answer = operator.post(page(type(row), "change", row.pk), {"name": "new", "meta": "{}"})
    assert answer.status_code == 302
    told = text_of(body_of(operator.get("/admin/")))
    assert f"{row.pk}” doesn’t exist. Perhaps it was deleted?" in told


def test_email_that_is_taken_is_refused_in_upper_case_too(operator: Client) -> None:
    said = {"email": "OPERATOR@example.com", "usable_password": "false"}
    response = operator.post(page(User, "add"), said)
    assert "User with this Email already exists." in response.content.decode()


def test_stylesheet_names_columns_that_there_are() -> None:
    columns = {name for one in admin.site._registry.values() for name in one.list_display}
    styles = (settings.BASE_DIR / "static" / "css" / "admin.css").read_text()
    assert set(re.findall(r"\.field-(\w+)", styles)) <= columns


def test_drive_is_cloned_by_an_action(operator: Client, storage: object) -> None:
    drive = DriveFactory(name="golden")
    body = {"action": "clone", "_selected_action": [str(drive.pk)]}
    answer = operator.post(page(Drive, "changelist"), body, follow=True)
    assert "Cloning golden as golden." in answer.content.decode()
    assert Drive.objects.filter(status="cloning_dst", owner=drive.owner).count() == 1


def test_server_is_cloned_by_an_action(operator: Client, server: Server) -> None:
    body = {"action": "clone", "_selected_action": [str(server.pk)]}
    operator.post(page(Server, "changelist"), body)
    assert Server.objects.filter(owner=server.owner).count() == 2
    assert Job.objects.get(parent=None).operation == "server_clone"


def test_action_tells_why_a_drive_cannot_be_cloned(operator: Client, storage: object) -> None:
    drive = DriveFactory(status=Drive.Status.UNAVAILABLE)
    body = {"action": "clone", "_selected_action": [str(drive.pk)]}
    answer = operator.post(page(Drive, "changelist"), body, follow=True)
    assert "A drive that is unavailable cannot be cloned." in answer.content.decode()


def test_users_without_rights_are_sent_to_the_login(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    assert client.get(page(Job, "changelist")).status_code == 302


def test_jobs_are_cancelled_and_retried_by_actions(operator: Client, server: Server) -> None:
    job = submit(leaf(10), server.owner)
    for action, word, state in (
        ("cancel", "Cancelled", "cancelled"),
        ("retry", "Retried", "started"),
    ):
        body = {"action": action, "_selected_action": [str(job.pk)]}
        answer = operator.post(page(Job, "changelist"), body, follow=True)
        assert f"{word}: test_noted {job.pk}." in answer.content.decode()
        job.refresh_from_db()
        assert job.state == state


def test_action_tells_why_a_job_cannot_be_cancelled(operator: Client, server: Server) -> None:
    job = submit(leaf(10), server.owner)
    Job.objects.update(state="success")
    body = {"action": "cancel", "_selected_action": [str(job.pk)]}
    answer = operator.post(page(Job, "changelist"), body, follow=True)
    assert "The job has ended already, with success." in answer.content.decode()


def test_jobs_cannot_be_deleted_by_an_action(operator: Client, server: Server) -> None:
    job = submit(leaf(10), server.owner)
    body = {"action": "delete_selected", "_selected_action": [str(job.pk)], "post": "yes"}
    operator.post(page(Job, "changelist"), body)
    assert Job.objects.filter(pk=job.pk).exists()


def test_storage_is_reconciled_on_a_page(operator: Client, storage: object) -> None:
    drive = DriveFactory(status="creating")
    address = reverse("admin:drives_reconcile")
    assert str(drive.pk) in operator.get(address).content.decode()
    answer = operator.post(address, follow=True).content.decode()
    assert "Put right: 1 of 1." in answer
    assert "Storage and database agree." in answer


def test_reconciling_takes_the_right_to_change_drives(owner: User) -> None:
    owner.is_staff = True
    owner.save()
    client = Client()
    client.force_login(owner)
    assert client.get(reverse("admin:drives_reconcile")).status_code == 403
