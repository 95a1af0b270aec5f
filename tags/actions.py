"""What can be done with tags; each action is one transaction."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from cloudjobs.announcing import announce
from cloudjobs.api.bodies import make_each
from cloudjobs.api.exceptions import Invalid, Missing
from cloudjobs.prepared import Hole, prepared_rows
from tags.models import Tag, TagLink
from tags.registry import kinds_of


@dataclass(frozen=True)
class TagSpec:
    """What a tag shall be; what is None stays as it is."""

    name: str
    meta: dict[str, str] | None = None
    resources: list[UUID] | None = None


@transaction.atomic
def create_tags(owner: User, specs: list[TagSpec]) -> list[Tag]:
    """Make tags, all or none.

    Raises:
        Invalid: the owner has no such thing; the point says which one of which tag.
    """
    return make_each(specs, lambda spec: create_tag(owner, spec))


def create_tag(owner: User, spec: TagSpec) -> Tag:
    kinds = find_resources(owner, spec.resources or [])
    tag: Tag = Tag.objects.create(owner=owner, name=spec.name, meta=spec.meta or {})
    link(tag, kinds)
    return tag


@transaction.atomic
def update_tag(uuid: UUID, owner: User, spec: TagSpec) -> Tag:
    """Change a tag; resources that are given replace those that it has.

    Raises:
        Missing: the owner has no such tag.
        Invalid: the owner has no such thing.
    """
    require_tag(uuid, owner)
    kinds = find_resources(owner, spec.resources or [])
    tag = lock_tag(uuid, owner)  # after what it is linked with, as everywhere
    tag.name = spec.name
    tag.meta = tag.meta if spec.meta is None else spec.meta
    tag.save(update_fields=["name", "meta"])
    if spec.resources is not None:
        announce_tagged(tag)
        tag.links.all().delete()
        link(tag, kinds)
    return tag


@transaction.atomic
def delete_tag(uuid: UUID, owner: User) -> None:
    """Delete a tag; what had it stays.

    Raises:
        Missing: the owner has no such tag.
    """
    tag = lock_tag(uuid, owner)
    announce_tagged(tag)
    tag.delete()


def require_tag(uuid: UUID, owner: User) -> None:
    """Raise Missing unless the owner has this tag."""
    if not Tag.objects.owned_by(owner).filter(pk=uuid).exists():
        raise Missing("There is no such tag.")


def lock_tag(uuid: UUID, owner: User) -> Tag:
    """Return a tag of the owner, its row locked until the transaction ends.

    Raises:
        Missing: the owner has no such tag.
    """
    tag: Tag | None = Tag.objects.owned_by(owner).filter(pk=uuid).locked().first()
    if tag is None:
        raise Missing("There is no such tag.")
    return tag


def find_resources(owner: User, uuids: list[UUID]) -> dict[UUID, str]:
    """Return the kinds of things by their uuids, in the order given; their rows are locked.

    Raises:
        Invalid: the owner has no such thing.
    """
    kinds = kinds_of(owner, uuids) if uuids else {}
    for index, uuid in enumerate(uuids):
        if uuid not in kinds:
            raise Invalid("There is nothing of this uuid that can be tagged.", f"resources.{index}")
    return {uuid: kinds[uuid] for uuid in uuids}


def link(tag: Tag, kinds: dict[UUID, str]) -> None:
    links = (TagLink(tag=tag, kind=kind, object_uuid=uuid) for uuid, kind in kinds.items())
    TagLink.objects.bulk_create(links)
    announce(tag.owner_id, ((kind, uuid) for uuid, kind in kinds.items()))


def announce_tagged(tag: Tag) -> None:
    """Announce what has a tag, which is about to lose it."""
    announce(tag.owner_id, tag.links.values_list("kind", "object_uuid"))


def tag_object(kind: str, uuid: UUID, owner: User, tags: list[UUID] | None) -> None:
    """Give an object, whose row is locked or new, exactly these tags; None leaves what it has.

    Raises:
        Invalid: the owner has no such tag.
    """
    if tags is None:
        return
    known = lock_known(owner, tags)
    for index, tag in enumerate(tags):
        if tag not in known:
            raise Invalid("There is no such tag.", f"tags.{index}")
    untag(kind, uuid)
    add_links(kind, uuid, tags)


def copy_tags(kind: str, source: UUID, copy: UUID, owner: User) -> None:
    """Give a new object the tags of another one."""
    add_tags(kind, copy, owner, tags_of(kind, source))


def add_tags(kind: str, uuid: UUID, owner: User, tags: list[UUID]) -> None:
    """Give a new object these tags; one that was deleted meanwhile is left out."""
    known = lock_known(owner, tags) if tags else set()
    add_links(kind, uuid, [tag for tag in tags if tag in known])


def tags_of(kind: str, uuid: UUID) -> list[UUID]:
    """Return the tags of one object."""
    return [tag for (tag,) in tags_of_object(TagLink, kind=kind, uuid=uuid)]


@prepared_rows
def tags_of_object(links: Any) -> QuerySet:
    return links.of_object(Hole("kind"), Hole("uuid")).order_by("pk").values_list("tag_id")


def lock_known(owner: User, tags: list[UUID]) -> set[UUID]:
    """Return those of the tags that the owner has, their rows locked."""
    mine = Tag.objects.owned_by(owner).filter(pk__in=tags).locked()
    return set(mine.values_list("pk", flat=True))


def add_links(kind: str, uuid: UUID, tags: list[UUID]) -> None:
    links = [TagLink(tag_id=tag, kind=kind, object_uuid=uuid) for tag in dict.fromkeys(tags)]
    if links:
        TagLink.objects.bulk_create(links)


def untag(kind: str, uuid: UUID) -> None:
    """Take an object out of all its tags."""
    TagLink.objects.of_object(kind, uuid).delete()
