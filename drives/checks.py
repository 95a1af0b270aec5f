"""System checks: the storage hosts of the settings have to be such that drives can lie there."""

import os
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from cloudjobs.patience import within
from drives.storage.hosts import build_host

SECONDS = 2  # that every command waits at its start for a host that hangs


@register()
def check_storage_hosts(**kwargs: Any) -> list[CheckMessage]:
    """Name every entry that is wrong; until it is right, no host can be used."""
    hosts = settings.STORAGE_HOSTS
    if not isinstance(hosts, dict) or not hosts:
        return [Error("STORAGE_HOSTS is a dict with at least one storage host.", id="drives.E001")]
    return [*wrong_hosts(hosts), *shared_folders(hosts)]


def wrong_hosts(hosts: dict[str, Any]) -> Iterator[CheckMessage]:
    for name, config in hosts.items():
        try:
            build_host(name, config)
        except ImproperlyConfigured as error:
            yield Error(str(error), id="drives.E001")


def shared_folders(hosts: dict[str, Any]) -> Iterator[CheckMessage]:
    """A host would take the images of its neighbour for such that nobody owns."""
    folders = defaultdict(list)
    for name, config in hosts.items():
        options = config.get("options") if isinstance(config, dict) else None
        root = options.get("root") if isinstance(options, dict) else None
        if isinstance(root, str | Path):
            folders[place_of(root)].append(name)
    for folder, names in folders.items():
        if len(names) > 1:
            text = f"STORAGE_HOSTS has {folder} as the root of {', '.join(names)}."
            yield Error(text, id="drives.E002")


def place_of(root: str | Path) -> str:
    """Return where a root leads to, or what it is called if nobody answers that in time."""
    try:
        return within(SECONDS, partial(os.path.realpath, root), f"the place of {root}")
    except (OSError, ValueError):  # a host that hangs, too: no command is to wait for it
        return os.path.normpath(root)
