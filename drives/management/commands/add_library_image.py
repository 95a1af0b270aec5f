"""`manage.py add_library_image FILE --name …`: puts an image into the library."""

from io import SEEK_END
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cloudjobs.api.exceptions import Invalid, PointedError
from drives.actions import DriveSpec
from drives.library.actions import add_image
from drives.models import Drive, LibraryEntry

TEXTS = ("arch", "description", "distribution", "image_type", "install_notes", "os", "url")


class Command(BaseCommand):
    help = "Stores a raw image as a drive of the library, which everyone may clone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a raw disk image")
        parser.add_argument("--name", required=True)
        parser.add_argument("--media", choices=Drive.Media.values, default=Drive.Media.DISK)
        parser.add_argument("--storage-type", default="")
        parser.add_argument("--category", action="append", default=[], help="may be repeated")
        parser.add_argument("--paid", action="store_true", help="its use needs a licence")
        parser.add_argument("--os-version", default="")
        defaults = LibraryEntry()
        for name in TEXTS:
            default = getattr(defaults, name)
            parser.add_argument(f"--{name.replace('_', '-')}", default=default)

    def handle(self, *args: Any, **options: Any) -> None:
        spec = DriveSpec(options["name"], 0, options["media"], options["storage_type"])
        try:
            Drive._meta.get_field("name").clean(spec.name, None)
            entry = store(options["file"], spec, description_in(options))
        except (OSError, PointedError, ValidationError) as error:
            raise CommandError(f"Nothing was added: {error}") from error
        self.stdout.write(f"{entry.drive_id} {entry}")


def description_in(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the entry, checked before any byte is stored.

    Raises:
        ValidationError: one of them cannot be.
    """
    texts = {name: options[name] for name in TEXTS}
    others = {"category": options["category"], "paid": options["paid"]}
    description = {**texts, **others, "version": options["os_version"]}
    LibraryEntry(**description).clean_fields(exclude=["drive"])
    return description


def store(path: Path, spec: DriveSpec, description: dict[str, Any]) -> LibraryEntry:
    """Stream the file, or block device, into storage.

    Raises:
        OSError: it cannot be read, or its size cannot be told.
        PointedError: it is empty, or storage does not take it.
    """
    with path.open("rb") as stream:
        length = stream.seek(0, SEEK_END)
        if not length:
            raise Invalid("The file is empty.", "file")
        stream.seek(0)
        return add_image(spec, stream, length, description)
