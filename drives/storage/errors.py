"""What can go wrong with images. Every message may be shown to the user who asked for the work."""


class StorageError(Exception):
    """The storage cannot do what was asked."""


class NoSpace(StorageError):
    """The image does not fit: it needs `needed` bytes where `free` bytes are left."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(f"Not enough space: {needed} bytes are needed, {free} bytes are free.")
        self.needed = needed
        self.free = free


class ImageMissing(StorageError):
    """There is no image of that UUID on the host."""


class UploadIncomplete(StorageError):
    """The upload ended after `received` bytes where `expected` bytes were announced."""

    def __init__(self, expected: int, received: int) -> None:
        super().__init__(f"The upload ended after {received} of {expected} bytes.")
        self.expected = expected
        self.received = received


class UnknownHost(StorageError):
    """The settings name no such storage host."""
