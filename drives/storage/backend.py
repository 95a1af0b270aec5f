"""The interface between drives and the place where their bytes are.

A new kind of storage is one subclass of `StorageBackend`; the settings name it by its dotted path.
Images are addressed by UUID alone, so no name given by a user ever becomes part of a path.
"""

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from drives.storage.limiter import Limiter


class CopyMethod(enum.StrEnum):
    """How the bytes of a clone travel, in the order in which it is tried."""

    REFLINK = "reflink"
    DIRECT = "direct"
    COPY_FILE_RANGE = "copy_file_range"
    READ_WRITE = "read_write"


Report = Callable[[int, int, CopyMethod], None]
"""Called with (bytes_done, cursor, method).

`bytes_done` counts the source's data bytes (not its holes) that the copy has dealt with, from the
beginning of the image, even when it was resumed. `cursor` is the offset below which all is durable.
A report that raises ends the copy; its exception reaches the caller of `clone`.
"""

Verified = Callable[[int], None]
"""Called with how many bytes of the copy were compared with the source, before each `Report`."""


@dataclass(frozen=True)
class StoredImage:
    """What a storage has under a UUID: an image, or the partial of one.

    `used` is the bytes that it takes up, `changed_at` when it last changed, in seconds since 1970.
    """

    uuid: UUID
    is_partial: bool
    used: int
    changed_at: float


class StorageBackend(ABC):
    """A place that holds images. All sizes are bytes."""

    limiter: Limiter | None = None

    @abstractmethod
    def create(self, image: UUID, size: int) -> None:
        """Make an empty image of `size` bytes; an existing one of that size is kept.

        Raises StorageError if the image exists with another size.
        """

    @abstractmethod
    def write(self, image: UUID, stream: BinaryIO, length: int, size: int) -> None:
        """Fill the image with exactly `length` bytes of the stream and grow it to `size`.

        The stream may give less than asked for; b"" is its end. Any error leaves no partial.
        Raises UploadIncomplete if the stream ends early, NoSpace if the disk is full.
        """

    @abstractmethod
    def begin(self, image: UUID) -> None:
        """Make an empty partial, which `write_part` fills in any order."""

    @abstractmethod
    def write_part(self, image: UUID, stream: BinaryIO, offset: int, length: int) -> None:
        """Write `length` bytes of the stream at `offset` of the partial; then they are durable.

        Several may write at once. Whatever goes wrong, the partial stays. Raises ImageMissing if
        there is none, UploadIncomplete if the stream ends early, NoSpace if the disk is full.
        """

    @abstractmethod
    def finish(self, image: UUID, size: int) -> bool:
        """Make the partial an image of `size` bytes; False while somebody still writes to it.

        True as well if that was done already. Raises ImageMissing.
        """

    @abstractmethod
    def clone(
        self,
        image: UUID,
        source: "StorageBackend",
        source_image: UUID,
        size: int,
        *,
        cursor: int = 0,
        report: Report,
        verified: Verified | None = None,
    ) -> CopyMethod:
        """Copy an image of this or another backend; the copy has `size` bytes.

        The source must not change meanwhile. `report` is called in the caller's thread, regularly
        even while the disk hangs. With the `cursor` that an earlier report gave, the copy goes on
        from there if its partial is still good. What stays after an error: the partial if `report`
        raised, otherwise nothing. Raises ImageMissing, NoSpace, StorageError or OSError.

        With `verified`, the copy is no image before it was read from the disk and found to be like
        its source, which is begun anew when the copy is resumed. Raises CopyDiffers.
        """

    @abstractmethod
    def grow(self, image: UUID, size: int) -> None:
        """Make the image at least `size` bytes long; never shrinks. Raises ImageMissing."""

    @abstractmethod
    def delete(self, image: UUID) -> None:
        """Remove the image and its partial, if they exist."""

    @abstractmethod
    def discard_partial(self, image: UUID) -> None:
        """Remove only what an unfinished `write` or `clone` left, if anything."""

    @abstractmethod
    def is_being_written(self, image: UUID) -> bool:
        """Tell whether somebody who is alive makes the image at this moment."""

    @abstractmethod
    def exists(self, image: UUID) -> bool:
        """Tell whether the finished image is there; a partial does not count."""

    @abstractmethod
    def partial_size(self, image: UUID) -> int:
        """How far the partial of an unfinished image reaches; 0 if there is none."""

    @abstractmethod
    def listing(self) -> Iterator[StoredImage]:
        """Yield all images and partials that the storage has, in no order."""

    @abstractmethod
    def size(self, image: UUID) -> int:
        """The image's length as a disk sees it. Raises ImageMissing."""

    @abstractmethod
    def allocated(self, image: UUID) -> int:
        """The bytes that the image takes up on the host. Raises ImageMissing."""

    @abstractmethod
    def changed_at(self, image: UUID) -> float:
        """When the image last changed, in seconds since 1970. Raises ImageMissing."""

    @abstractmethod
    def open(self, image: UUID) -> BinaryIO:
        """Open the image for reading; the file has a descriptor. Raises ImageMissing."""

    @abstractmethod
    def free(self) -> int:
        """The bytes that new data may take up. Raises StorageError if the storage is away."""

    @abstractmethod
    def capacity(self) -> int:
        """The bytes that all images together may take up."""

    @abstractmethod
    def volume(self) -> str:
        """Name what the free bytes are taken from; hosts of one volume compete for them.

        Raises StorageError if the storage is away.
        """

    def ask(self) -> None:
        """Return once the storage answers, whatever it says. Raises StorageError if it is away."""
        self.free()

    @abstractmethod
    def check(self) -> None:
        """Return if the storage can be used now. Raises StorageError with the reason if not."""
