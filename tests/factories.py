"""Objects for tests: each call makes one in the database, with an image where one belongs."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import User
from drives.models import Drive
from drives.storage import get_host

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
