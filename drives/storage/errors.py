"""What can go wrong with images. Every message may be shown to the user who asked for the work."""


class StorageError(Exception):
    """The storage cannot do what was asked.

    `code` says for programs which error it is, `hint` tells its reader what can be done.
    """

    code = "storage_error"
    hint = "Retry it; if it fails again, tell the operator."


class NoSpace(StorageError):
    """The image does not fit: it needs `needed` bytes where `free` bytes are left."""

    code = "no_space"
    hint = "Delete what is not needed on this storage, then retry."

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(f"Not enough space: {needed} bytes are needed, {free} bytes are free.")
        self.needed = needed
        self.free = free


class ImageMissing(StorageError):
    """There is no image of that UUID on the host."""

    code = "image_missing"
    hint = "Tell the operator: the storage does not have what the database says."


class CopyDiffers(StorageError):
    """What the disk has of a copy is not what its source has, at byte `offset` first."""

    code = "copy_differs"
    hint = "Retry it; if it happens again, a disk is failing: tell the operator."

    def __init__(self, offset: int) -> None:
        super().__init__(f"The copy differs from its source at byte {offset}.")
        self.offset = offset


class Unreadable(StorageError):
    """The disk does not give back what should be at byte `offset` of an image."""

    code = "unreadable"
    hint = "Retry it; if it happens again, a disk is failing: tell the operator."

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"What lies at byte {offset} cannot be read: {reason}.")
        self.offset = offset


class UploadIncomplete(StorageError):
    """The upload ended after `received` bytes where `expected` bytes were announced."""

    def __init__(self, expected: int, received: int) -> None:
        super().__init__(f"The upload ended after {received} of {expected} bytes.")
        self.expected = expected
        self.received = received


class UnknownHost(StorageError):
    """The settings name no such storage host."""
