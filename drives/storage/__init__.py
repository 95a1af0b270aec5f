"""Where the images of drives are and how they are copied. Sizes are bytes throughout."""

from drives.storage.backend import CopyMethod, Report, StorageBackend, StoredImage
from drives.storage.errors import (
    CopyDiffers,
    ImageMissing,
    NoSpace,
    StorageError,
    UnknownHost,
    UploadIncomplete,
)
from drives.storage.file import FileBackend
from drives.storage.hosts import (
    SIZE_STEP,
    StorageHost,
    all_hosts,
    get_host,
    hosts_of,
    limits_of_jobs,
    round_up_size,
    storage_types,
)
from drives.storage.limiter import Limiter

__all__ = [
    "SIZE_STEP",
    "CopyDiffers",
    "CopyMethod",
    "FileBackend",
    "ImageMissing",
    "Limiter",
    "NoSpace",
    "Report",
    "StorageBackend",
    "StorageError",
    "StorageHost",
    "StoredImage",
    "UnknownHost",
    "UploadIncomplete",
    "all_hosts",
    "get_host",
    "hosts_of",
    "limits_of_jobs",
    "round_up_size",
    "storage_types",
]
