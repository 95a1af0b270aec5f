"""The storage hosts of the settings: which backends there are and what drives they take."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from drives.storage.backend import StorageBackend
from drives.storage.errors import UnknownHost

SIZE_STEP = 16 * 1024
"""Bytes; drive sizes are multiples of it."""

DEFAULT_MIN_SIZE = 512 * 1024 * 1024


@dataclass(frozen=True)
class StorageHost:
    """A named place for images; drives of `min_size` to `max_size` bytes may lie there.

    At most `jobs` jobs write to it at once; 0 means any number. With `verify` all clones that are
    written to it are compared with their sources.
    """

    name: str
    storage_type: str
    backend: StorageBackend
    min_size: int
    max_size: int
    jobs: int
    verify: bool


def get_host(name: str) -> StorageHost:
    """Raises UnknownHost."""
    try:
        return _hosts()[name]
    except KeyError as error:
        raise UnknownHost(f"There is no storage host {name!r}.") from error


def all_hosts() -> list[StorageHost]:
    """All hosts, in the order of the settings."""
    return list(_hosts().values())


def hosts_of(storage_type: str) -> list[StorageHost]:
    """The hosts of one type, in the order of the settings."""
    return [host for host in all_hosts() if host.storage_type == storage_type]


def storage_types() -> list[str]:
    """Each type once, in the order of the settings."""
    return list(dict.fromkeys(host.storage_type for host in all_hosts()))


def limits_of_jobs() -> dict[str, int]:
    """Return how many jobs may write to each host at once, where that is limited."""
    return {host.name: host.jobs for host in all_hosts() if host.jobs}


def round_up_size(size: int) -> int:
    """The smallest multiple of SIZE_STEP that holds `size` bytes."""
    return -(-size // SIZE_STEP) * SIZE_STEP


@cache
def _hosts() -> dict[str, StorageHost]:
    return {name: _build(name, config) for name, config in settings.STORAGE_HOSTS.items()}


def _build(name: str, config: dict[str, Any]) -> StorageHost:
    backend: StorageBackend = import_string(config["backend"])(**config.get("options", {}))
    return StorageHost(
        name=name,
        storage_type=config["storage_type"],
        backend=backend,
        min_size=config.get("min_size", DEFAULT_MIN_SIZE),
        max_size=config.get("max_size") or backend.capacity(),
        jobs=config.get("jobs", 0),
        verify=config.get("verify", False),
    )


@receiver(setting_changed, dispatch_uid="drives.storage.hosts")
def _forget_hosts(*, setting: str, **kwargs: object) -> None:
    if setting == "STORAGE_HOSTS":
        _hosts.cache_clear()
