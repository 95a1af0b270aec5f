"""Objects for tests: each call makes one in the database, with an image where one belongs."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import User
from drives.models import Drive, LibraryEntry, Snapshot
from drives.storage import get_host
from keypairs import keys
from keypairs.models import KeyPair
from keypairs.sealing import seal
from servers.models import Mount, Nic, Server
from tags.models import Tag, TagLink

MIB = 1024**2
GIB = 1024**3
PASSWORD = "a right password"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence("user{}@example.com".format)
    password = factory.django.Password(PASSWORD)


class DriveFactory(DjangoModelFactory[Drive]):
    """A drive that is ready, with an empty image on its host."""

    class Meta:
        model = Drive
        skip_postgeneration_save = True

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence("disk-{}".format)
    media = Drive.Media.DISK
    size = GIB
    status = Drive.Status.UNMOUNTED
    storage_host = "dssd-1"
    storage_type = factory.LazyAttribute(lambda drive: get_host(drive.storage_host).storage_type)

    @factory.post_generation
    def image(self: Drive, create: bool, data: bytes | None, **kwargs: Any) -> None:
        backend = get_host(self.storage_host).backend
        backend.create(self.pk, self.size)
        if data:
            with backend.folder._final(self.pk).open("r+b") as file:
                file.write(data)


class LibraryEntryFactory(DjangoModelFactory[LibraryEntry]):
    """A drive of the library: a disk, unless `drive__media` says otherwise."""

    class Meta:
        model = LibraryEntry

    drive = factory.SubFactory(DriveFactory, owner=None)
    arch = "64"
    category = ["general"]
    distribution = "Ubuntu"
    image_type = "preinst"
    os = "linux"
    version = "12.04.4"


class SnapshotFactory(DjangoModelFactory[Snapshot]):
    """A snapshot that is there, with an empty image beside that of its drive."""

    class Meta:
        model = Snapshot
        skip_postgeneration_save = True

    drive = factory.SubFactory(DriveFactory, owner=factory.SelfAttribute("..owner"))
    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence("snapshot-{}".format)
    size = factory.SelfAttribute("drive.size")
    allocated_size = 0
    status = Snapshot.Status.AVAILABLE
    storage_host = factory.SelfAttribute("drive.storage_host")

    @factory.post_generation
    def image(self: Snapshot, create: bool, data: bytes | None, **kwargs: Any) -> None:
        backend = get_host(self.storage_host).backend
        backend.create(self.pk, self.size)
        if data:
            with backend.folder._final(self.pk).open("r+b") as file:
                file.write(data)


class ServerFactory(DjangoModelFactory[Server]):
    """A stopped server without drives and cards."""

    class Meta:
        model = Server

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence("server-{}".format)
    cpu = 1000
    mem = 512 * MIB
    vnc_password = "secret"


class MountFactory(DjangoModelFactory[Mount]):
    """A disk of its own, on a channel of its own."""

    class Meta:
        model = Mount

    server = factory.SubFactory(ServerFactory)
    drive = factory.SubFactory(
        DriveFactory, owner=factory.SelfAttribute("..server.owner"), status=Drive.Status.MOUNTED
    )
    device = Mount.Device.VIRTIO
    dev_channel = factory.LazyAttribute(lambda mount: f"{mount.server.mounts.count()}:0")


class NicFactory(DjangoModelFactory[Nic]):
    """A public network card behind those that the server has."""

    class Meta:
        model = Nic

    server = factory.SubFactory(ServerFactory)
    position = factory.LazyAttribute(lambda nic: nic.server.nics.count())
    conf = Nic.Conf.DHCP


class KeyPairFactory(DjangoModelFactory[KeyPair]):
    """An Ed25519 key of its own; `private` says whether its private half is kept."""

    class Meta:
        model = KeyPair

    class Params:
        private = True
        keys = factory.LazyFunction(lambda: keys.generate(keys.ED25519))

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence("key-{}".format)
    public_key = factory.LazyAttribute(lambda pair: pair.keys.public)
    sealed_private_key = factory.LazyAttribute(
        lambda pair: seal(pair.keys.private) if pair.private else ""
    )
    fingerprint = factory.LazyAttribute(lambda pair: keys.fingerprint(pair.public_key))


class TagFactory(DjangoModelFactory[Tag]):
    """A tag; `resources` are the drives, servers and snapshots that have it."""

    class Meta:
        model = Tag
        skip_postgeneration_save = True

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence("tag-{}".format)

    @factory.post_generation
    def resources(self: Tag, create: bool, objects: list[Any] | None, **kwargs: Any) -> None:
        for each in objects or []:
            kind = f"{each._meta.model_name}s"
            TagLink.objects.create(tag=self, kind=kind, object_uuid=each.pk)
