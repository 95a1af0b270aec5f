"""Two users with something of everything; requests are made by one, and never see the other's."""

import re
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

from accounts.models import User
from drives.models import Drive, Snapshot
from jobs import runner
from jobs.actions import JobSpec, submit
from jobs.models import Job
from keypairs.models import KeyPair
from servers.models import Server
from tags.models import Tag
from tests.factories import (
    DriveFactory,
    KeyPairFactory,
    LibraryEntryFactory,
    MountFactory,
    NicFactory,
    ServerFactory,
    SnapshotFactory,
    TagFactory,
    UserFactory,
)

FOREIGN = "belongs-to-someone-else"  # in every name of the other user
MODELS: dict[str, Any] = {
    "drives": Drive,
    "jobs": Job,
    "keypairs": KeyPair,
    "pubkeys": KeyPair,
    "servers": Server,
    "snapshots": Snapshot,
    "tags": Tag,
}
UUIDS = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOST = 40  # objects of a kind, before the world is made anew
SHARES = (0.55, 0.7)  # of uuids become one of the user's, and then one of the other's


class World:
    """The objects of the user who asks, and of one who must not be seen."""

    def __init__(self) -> None:
        self.owner: User = UserFactory()
        self.stranger: User = UserFactory(email=f"{FOREIGN}@example.com")
        self.library = str(LibraryEntryFactory(drive__name="library").pk)
        make_objects(self.stranger, f"{FOREIGN}-")
        run_waiting_jobs()
        make_objects(self.owner, "mine-")
        self.secrets = [FOREIGN, str(self.stranger.pk), *uuids_of(self.stranger)]
        self.untouched = rows_of(self.stranger)
        self.answered: set[str] = set()  # uuids that answers have told

    def note(self, answer: bytes) -> None:
        """Remember the uuids that an answer tells."""
        self.answered.update(UUIDS.findall(answer.decode(errors="replace")))

    def begin_anew(self) -> None:
        """Give the user who asks new objects in the place of the old ones."""
        Job.objects.filter(owner=self.owner).delete()
        for model in (Server, Snapshot, Drive, KeyPair, Tag):
            model.objects.filter(owner=self.owner).delete()
        make_objects(self.owner, "mine-")

    @property
    def is_full(self) -> bool:
        return any(
            model.objects.filter(owner=self.owner).count() > MOST for model in MODELS.values()
        )

    def replacement(self, uuid: str, kind: str | None) -> str:
        """Return the uuid that a request has in the place of a random one; always the same.

        One that was answered is kept: the request belongs to a sequence.
        """
        if uuid in self.answered:
            return uuid
        random = Random(uuid)
        chance = random.random()
        if kind == "libdrives":
            return self.library if chance < SHARES[1] else uuid
        if chance > SHARES[1]:
            return uuid
        who = self.owner if chance < SHARES[0] else self.stranger
        model = MODELS.get(kind or "") or random.choice(list(MODELS.values()))
        known = list(model.objects.filter(owner=who).values_list("pk", flat=True).order_by("pk"))
        return str(random.choice(known)) if known else uuid


def make_objects(user: User, prefix: str) -> None:
    """Make objects that requests can be about, in states that allow much."""
    disk, other = (DriveFactory(owner=user, name=f"{prefix}disk-{n}") for n in (1, 2))
    SnapshotFactory(owner=user, drive=disk, name=f"{prefix}snapshot")
    server = ServerFactory(owner=user, name=f"{prefix}server", vnc_password=f"{prefix}secret")
    ServerFactory(owner=user, name=f"{prefix}empty-server")
    MountFactory(server=server, drive__name=f"{prefix}mounted", drive__owner=user)
    NicFactory(server=server)
    KeyPairFactory(owner=user, name=f"{prefix}key")
    TagFactory(owner=user, name=f"{prefix}tag", resources=[disk, server])
    submit(JobSpec("test_noted"), user)
    assert other.pk


def uuids_of(user: User) -> list[str]:
    models = {*MODELS.values()}
    return [str(pk) for model in models for pk in keys_of(model, user)]


def keys_of(model: Any, user: User) -> list[UUID]:
    return list(model.objects.filter(owner=user).values_list("pk", flat=True))


def rows_of(user: User) -> list[Any]:
    """Return all that there is of a user, to see that it stays as it is."""
    return [
        list(model.objects.filter(owner=user).order_by("pk").values()) for model in MODELS.values()
    ]


def run_waiting_jobs() -> None:
    """Run what waits, as a worker would; what cannot be run is left."""
    for _ in range(10):
        if not Job.objects.claimable().exists():
            return
        runner.run_next()


Replace = Callable[[str, str | None], str]


def with_known_uuids(value: Any, replace: Replace) -> Any:
    """Return a body in which uuids are, for the most part, those of objects that exist."""
    if isinstance(value, dict):
        return {name: with_known_uuids(each, replace) for name, each in value.items()}
    if isinstance(value, list):
        return [with_known_uuids(each, replace) for each in value]
    return replace(value, None) if is_uuid(value) else value


def is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False
