"""Announces what is saved and deleted one by one; of UPDATEs whoever makes them tells."""

from collections.abc import Callable
from typing import Any

from django.db.models.signals import post_delete, post_save

from accounts.models import Profile, User
from cloudjobs.announcing import PROFILE, announce
from drives.models import Drive, Snapshot
from drives.querysets import KIND as DRIVES
from servers.models import Server
from servers.querysets import KIND as SERVERS

Receiver = Callable[..., None]
LOGIN = frozenset({"last_login"})  # nothing that a profile shows


def connect() -> None:
    """Let every save and deletion of what has events be announced."""
    receivers: dict[Any, Receiver] = {
        Drive: drive_saved,
        Snapshot: snapshot_saved,
        Server: server_saved,
        Profile: profile_saved,
        User: user_saved,
    }
    for model, receiver in receivers.items():
        post_save.connect(receiver, sender=model, dispatch_uid="events")
    for model in (Drive, Snapshot, Server):
        post_delete.connect(receivers[model], sender=model, dispatch_uid="events")


def drive_saved(instance: Drive, **kwargs: Any) -> None:
    announce(instance.owner_id, [(DRIVES, instance.pk)])


def snapshot_saved(instance: Snapshot, **kwargs: Any) -> None:
    """A drive shows its snapshots."""
    announce(instance.owner_id, [(DRIVES, instance.drive_id)])


def server_saved(instance: Server, **kwargs: Any) -> None:
    announce(instance.owner_id, [(SERVERS, instance.pk)])


def profile_saved(instance: Profile, **kwargs: Any) -> None:
    announce(instance.user_id, [(PROFILE, instance.user_id)])


def user_saved(instance: User, update_fields: frozenset[str] | None = None, **kwargs: Any) -> None:
    """A profile shows the email."""
    if update_fields != LOGIN:
        announce(instance.pk, [(PROFILE, instance.pk)])
