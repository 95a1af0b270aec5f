"""The storage hosts of the settings: which backends there are and what drives they take."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from drives.storage.backend import StorageBackend
from drives.storage.errors import StorageError, UnknownHost

SIZE_STEP = 16 * 1024
"""Bytes; drive sizes are multiples of it."""

FILES = "drives.storage.file.FileBackend"
"""The backend of a host that names none."""

DEFAULT_MIN_SIZE = 512 * 1024 * 1024

ANY_SIZE = 2**62
"""Bytes; more than any storage has, and what may lie on one whose capacity is not known."""

LONGEST_NAME, LONGEST_TYPE = 64, 32  # characters, as the columns of drives hold them
KINDS: dict[str, type] = {
    "storage_type": str,
    "backend": str,
    "options": dict,
    "min_size": int,
    "max_size": int,
    "jobs": int,
    "verify": bool,
}


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
    largest: int  # as the settings say; 0 means what the storage holds
    jobs: int
    verify: bool

    @property
    def max_size(self) -> int:
        """The size of the largest drive. That of a host that is away is not known: it takes any,
        and whoever places a drive there is told that it is away.
        """
        try:
            return self.largest or self.backend.capacity()
        except StorageError:
            return ANY_SIZE


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
    _require(isinstance(settings.STORAGE_HOSTS, dict), "STORAGE_HOSTS is not a dict.")
    return {name: build_host(name, config) for name, config in settings.STORAGE_HOSTS.items()}


def build_host(name: str, config: dict[str, Any]) -> StorageHost:
    """Return the host of an entry. Raises ImproperlyConfigured, which names what is wrong in it."""
    where = f"STORAGE_HOSTS[{name!r}]"
    _require_form(where, name, config)
    try:
        make = import_string(config.get("backend", FILES))
        backend: StorageBackend = make(**config.get("options", {}))
    except (ImportError, TypeError, ValueError) as error:
        reason = f"{where} has no backend that can be made: {type(error).__name__}: {error}"
        raise ImproperlyConfigured(reason) from error
    return StorageHost(
        name=name,
        storage_type=config["storage_type"],
        backend=backend,
        min_size=config.get("min_size", DEFAULT_MIN_SIZE),
        largest=config.get("max_size", 0),
        jobs=config.get("jobs", 0),
        verify=config.get("verify", False),
    )


def _require_form(where: str, name: str, config: Any) -> None:
    """Look at the keys of an entry, at the types of their values, and at both names."""
    _require(isinstance(config, dict), f"{where} is not a dict, but {config!r}.")
    for key, value in config.items():
        _require(key in KINDS, f"{where} has {key!r}; there is only {', '.join(KINDS)}.")
        kind = KINDS[key]
        _require(type(value) is kind, f"{where}[{key!r}] is no {kind.__name__}: {value!r}.")
        _require(kind is not int or value >= 0, f"{where}[{key!r}] is below 0: {value}.")
    is_name = isinstance(name, str) and 0 < len(name) <= LONGEST_NAME
    _require(is_name, f"{where} needs a name of 1 to {LONGEST_NAME} characters.")
    least, most = config.get("min_size", DEFAULT_MIN_SIZE), config.get("max_size", 0)
    _require(not most or least <= most, f"{where} has no size between {least} and {most} bytes.")
    storage_type = config.get("storage_type", "")
    words = f"{where}['storage_type'] needs 1 to {LONGEST_TYPE} characters: {storage_type!r}."
    _require(0 < len(storage_type) <= LONGEST_TYPE, words)


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise ImproperlyConfigured(reason)


@receiver(setting_changed, dispatch_uid="drives.storage.hosts")
def _forget_hosts(*, setting: str, **kwargs: object) -> None:
    if setting == "STORAGE_HOSTS":
        _hosts.cache_clear()
