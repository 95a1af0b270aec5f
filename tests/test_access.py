"""Every address, asked by everyone, with every method: who gets what, and what nobody learns.

The addresses come from the URL table; what is expected at them, from `tests.access`.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import models, transaction
from django.test import Client
from django.urls import resolve

from accounts.models import User
from drives.models import Drive, Snapshot
from jobs.models import Job
from keypairs.models import KeyPair
from servers.models import Server
from tags.models import Tag
from tests.access import KINDS, METHODS, Asked, kinds_of
from tests.addresses import (
    LIBRARY_UUID,
    UUID,
    all_paths,
    connect_everything,
    make_everything,
    with_objects,
)
from tests.conftest import browser_of, everything
from tests.factories import GIB, UserFactory
from tests.html import text_of

UNKNOWN_UUID = "99999999-1234-1234-1234-123456789abc"
PERSONS = ("anonymous", "owner", "other", "clerk", "operator")
FOREIGN = ("anonymous", "other", "clerk", "operator")
OWNED: tuple[type[models.Model], ...] = (Drive, Snapshot, Job, KeyPair, Server, Tag)
NEW: dict[str, dict[str, Any]] = {  # definitions that name things of the owner
    "drives": {"name": "new", "media": "disk", "size": GIB, "tags": [UUID]},
    "servers": {
        "name": "new",
        "cpu": 1000,
        "mem": GIB,
        "vnc_password": "secret",
        "drives": [{"drive": UUID, "device": "virtio", "dev_channel": "0:0"}],
        "pubkeys": [UUID],
        "tags": [UUID],
    },
    "snapshots": {"drive": UUID},
    "tags": {"name": "new", "resources": [UUID]},
    "keypairs": {"name": "new", "algorithm_type": "ed25519"},
}
WISHES = {
    "clone": {"size": GIB},
    "resize": {"size": GIB},
    "upload_chunk": {"chunk_number": 0, "chunk_size": 65536},
}

People = dict[str, Client]
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def people(storage: Path, owner: User, stranger: User) -> People:
    """A browser of each person; everything there is belongs to the owner."""
    make_everything(owner)
    connect_everything(owner)
    clerk, operator = UserFactory(is_staff=True), UserFactory(is_staff=True, is_superuser=True)
    users = (None, owner, stranger, clerk, operator)
    return {name: browser_of(user) for name, user in zip(PERSONS, users, strict=True)}


def test_every_address_is_of_one_kind() -> None:
    odd = {path: kinds for path in all_paths() if len(kinds := kinds_of(path)) != 1}
    assert odd == {}, "tests/access.py says of what kind an address is"


@every_kind
def test_nobody_else_reaches_what_is_the_owners(
    people: People, owner: User, storage: Path, kind: str
) -> None:
    secrets, before = secrets_of(owner), everything(storage)
    wrong = [
        f"{asked} of {person}: {fault}"
        for asked in all_requests(kind, people["owner"])
        for person in (FOREIGN if kind != "admin" else FOREIGN[:-1])  # it is the operator's
        for fault in faults_in(asked, person, people[person], secrets)
    ]
    assert not wrong, "\n".join(wrong)
    assert lost(before, everything(storage)) == []


@every_kind
def test_owner_reaches_it_all(people: People, kind: str) -> None:
    wrong = []
    for asked in all_requests(kind, people["owner"]):
        with transaction.atomic():  # what one request changes is there again for the next
            wrong += [f"{asked}: {fault}" for fault in faults_in(asked, "owner", people["owner"])]
            transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", ["owned object", "owned page", "chunks"])
def test_foreign_object_is_answered_as_one_that_there_is_not(people: People, kind: str) -> None:
    for asked in all_requests(kind, people["owner"]):
        foreign, unknown = (
            sent.send(people["other"]) for sent in (asked, asked.about(UUID, UNKNOWN_UUID))
        )
        assert foreign.status_code == unknown.status_code, asked
        assert visible(foreign).replace(UUID, UNKNOWN_UUID) == visible(unknown), asked


def all_requests(kind: str, owner: Client) -> list[Asked]:
    """Return all that can be asked of the addresses of a kind."""
    paths = [path for path in all_paths() if kinds_of(path) == [kind]]
    return [
        Asked(kind, method, address, body, allowed)
        for path in map(with_objects, paths)
        for allowed in [allowed_at(path, owner)]
        for method in (METHODS if kind != "admin" else ("GET", "POST"))
        for address, body in said(path, method, owner if method in allowed else None)
    ]


def allowed_at(path: str, owner: Client) -> frozenset[str]:
    """Return the methods that there are, as the answer to one that is nowhere tells."""
    response = owner.generic("PATCH", path)
    if response.status_code != 405:
        return frozenset(METHODS)  # doors, and the admin, which sends everyone to its login
    methods = frozenset(response.headers["Allow"].split(", "))
    assert ("GET" in methods) == ("HEAD" in methods), path
    return methods


def said(path: str, method: str, owner: Client | None) -> Iterator[tuple[str, str]]:
    """Yield address and body of the requests with a method: for an action, one for each `?do=`."""
    parts = path.split("/")[3:]
    view = getattr(resolve(path).func, "cls", None)
    if method == "POST" and parts[-2:] == ["action", ""]:
        for name in getattr(view, "action_methods", ()):
            yield f"{path}?do={name}", json.dumps(WISHES.get(name, {}))
    elif method == "PUT" and view and owner:
        yield path, owner.get(path).getvalue().decode()  # the object as it is
    elif method == "POST" and len(parts) == 2:
        yield path, json.dumps(NEW.get(parts[0], {}))
    else:
        yield path, json.dumps({"objects": [{"uuid": UUID}]})


def faults_in(
    asked: Asked, person: str, client: Client, secrets: Iterable[bytes] = ()
) -> Iterator[str]:
    """Yield what is wrong with the answer: its status, or what it tells."""
    response = asked.send(client)
    expected = KINDS[asked.kind].expected(person, asked.method, asked.allowed)
    if response.status_code not in expected:
        yield f"{response.status_code} instead of {sorted(expected)}: {response.getvalue()!r:.300}"
    told = response.getvalue()  # all of it, so that no image stays open
    if person != "owner":
        told += repr(response.headers).encode()
        unasked = (secret for secret in secrets if secret not in asked.address.encode())
        yield from (f"tells {secret!r}" for secret in unasked if secret in told)


def visible(response: Any) -> str:
    """Return what a reader sees of an answer, which hides tokens of forms."""
    return text_of(response.getvalue().decode())


def secrets_of(owner: User) -> set[bytes]:
    """Return what nobody else may learn: names, email, and all keys but the one they ask for."""
    rows: list[Any] = [row for model in OWNED for row in model._default_manager.filter(owner=owner)]
    names = {row.name for row in rows if hasattr(row, "name")} | {"owned token", owner.email}
    keys = {str(row.pk) for row in (*rows, owner)} - {UUID}
    return {text.encode() for text in names | keys}


def lost(before: list[Any], after: list[Any]) -> list[Any]:
    """Return the rows and files that changed or went, but for those of the library."""
    return [
        row
        for rows, later in zip(before, after, strict=True)
        for row in rows
        if row not in later and LIBRARY_UUID not in str(row)
    ]
