"""What can be done with key pairs. What is given is checked, and what is to be made is made, before
the transaction: that takes time.
"""

from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from accounts.models import User
from cloudjobs.api.bodies import make_each
from cloudjobs.api.exceptions import Invalid, Missing
from keypairs import keys
from keypairs.keys import Keys
from keypairs.models import KeyPair
from keypairs.sealing import seal, unseal

MOST_GENERATED = 10  # in one request


@dataclass(frozen=True)
class KeySpec:
    """A key pair: to be made by its algorithm, unless keys are given. What is None stays."""

    name: str
    meta: dict[str, str] | None = None
    algorithm_type: str = keys.RSA
    public_key: str | None = None
    private_key: str | None = field(default=None, repr=False)

    @property
    def is_generated(self) -> bool:
        return not (self.public_key or self.private_key)


def create_keypairs(owner: User, specs: list[KeySpec]) -> list[KeyPair]:
    """Make key pairs, all or none.

    Raises:
        Invalid: a key that is given cannot be; the point says which one. Too many are to be made.
    """
    if sum(spec.is_generated for spec in specs) > MOST_GENERATED:
        raise Invalid(f"A request makes at most {MOST_GENERATED} keys.", "objects")
    pairs = make_each(specs, lambda spec: new_keypair(owner, spec))
    KeyPair.objects.bulk_create(pairs)
    return pairs


def new_keypair(owner: User, spec: KeySpec) -> KeyPair:
    """Return a key pair that is not saved."""
    pair = keys_of(spec)
    return KeyPair(
        owner=owner,
        name=spec.name,
        public_key=pair.public,
        sealed_private_key=seal(pair.private) if pair.private else "",
        fingerprint=keys.fingerprint(pair.public),
        meta=spec.meta or {},
    )


def keys_of(spec: KeySpec) -> Keys:
    if spec.is_generated:
        return keys.generate(spec.algorithm_type)
    return keys.read(spec.public_key or "", spec.private_key or "")


@transaction.atomic
def update_keypair(uuid: UUID, owner: User, spec: KeySpec) -> KeyPair:
    """Change name and meta; keys may be sent back, but not changed.

    Raises:
        Missing: the owner has no such key pair.
        Invalid: a key differs from the one that is kept.
    """
    pair = lock_keypair(uuid, owner)
    if spec.public_key and spec.public_key.strip() != pair.public_key:
        raise Invalid("A key does not change; make a new key pair instead.", "public_key")
    if spec.private_key and spec.private_key != unseal(pair.sealed_private_key):
        raise Invalid("A key does not change; make a new key pair instead.", "private_key")
    pair.name = spec.name
    pair.meta = pair.meta if spec.meta is None else spec.meta
    pair.save(update_fields=["name", "meta"])
    return pair


@transaction.atomic
def delete_keypair(uuid: UUID, owner: User) -> None:
    """Delete a key pair; servers that have it lose it.

    Raises:
        Missing: the owner has no such key pair.
    """
    lock_keypair(uuid, owner).delete()


def lock_keypair(uuid: UUID, owner: User) -> KeyPair:
    """Return a key pair of the owner, its row locked until the transaction ends.

    Raises:
        Missing: the owner has no such key pair.
    """
    pair: KeyPair | None = KeyPair.objects.owned_by(owner).filter(pk=uuid).locked().first()
    if pair is None:
        raise Missing("There is no such key pair.")
    return pair
