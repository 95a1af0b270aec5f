"""The JSON of key pairs: with the private key for `/keypairs/`, without it for `/pubkeys/`."""

from typing import Any

from rest_framework import serializers

from cloudjobs.api.fields import (
    EmptyListField,
    MetaField,
    NarrowedFields,
    ReferenceField,
    ResourceUriField,
    StrictCharField,
)
from keypairs.keys import ALGORITHMS, RSA
from keypairs.models import KeyPair
from keypairs.sealing import unseal

KEYPAIRS, PUBKEYS = "keypairs", "pubkeys"
LONGEST_PUBLIC = 4000
LONGEST_PRIVATE = 8000  # characters: RSA with 8192 bits has 6400
MOST_KEYS = 100  # of a server


class KeyField(StrictCharField):
    """A key as text; an empty one is none."""

    def __init__(self, max_length: int, help_text: str) -> None:
        super().__init__(
            max_length=max_length,
            help_text=help_text,
            required=False,
            allow_null=True,
            allow_blank=True,
            trim_whitespace=False,
        )


class PubkeysField(serializers.ListField):
    """The keys of a server: uuids, or objects that hold one."""

    documented_type = "related"
    child = ReferenceField(PUBKEYS)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_KEYS, help_text="SSH keys of the server", **kwargs)

    def to_representation(self, data: Any) -> list[Any]:
        return super().to_representation([link.keypair_id for link in data.all()])


class KeyPairRequest(serializers.Serializer[Any]):
    """A full definition, as create and update take it. Keys that are read-only are ignored."""

    name = StrictCharField(max_length=255, help_text="Human readable name of the key pair")
    meta = MetaField(required=False, help_text="User defined meta information")
    algorithm_type = serializers.ChoiceField(
        choices=ALGORITHMS, default=RSA, help_text="What is made if no key is given"
    )
    public_key = KeyField(LONGEST_PUBLIC, "A key of one's own, as in authorized_keys")
    private_key = KeyField(LONGEST_PRIVATE, "The private half, without a passphrase")


class KeySerializer(NarrowedFields):
    """What both addresses tell."""

    fingerprint = serializers.CharField(read_only=True, help_text="MD5 of the public key")
    grantees = EmptyListField("list", help_text="Users who may use the key")
    meta = MetaField(required=False, help_text="User defined meta information")
    name = StrictCharField(max_length=255, help_text="Human readable name of the key pair")
    permissions = EmptyListField("list", help_text="What the user who asks may do")
    tags = EmptyListField(help_text="Keys have no tags here")
    uuid = serializers.UUIDField(read_only=True, help_text="UUID of the key pair")

    class Meta:
        model = KeyPair  # whose defaults the schema tells


class KeyPairSerializer(KeySerializer):
    """A key pair in full, for its owner."""

    private_key = serializers.SerializerMethodField(help_text="The private half, if it is kept")
    public_key = KeyField(LONGEST_PUBLIC, "The key as in authorized_keys")
    resource_uri = ResourceUriField(KEYPAIRS, help_text="The path of this key pair")

    def get_private_key(self, pair: KeyPair) -> str | None:
        return unseal(pair.sealed_private_key) if pair.has_private_key else None


class KeyPairSchema(KeyPairSerializer, KeyPairRequest):
    """A key pair with what only requests have; it makes the schema, never an answer."""

    private_key = KeyField(LONGEST_PRIVATE, "The private half, if it is kept")  # type: ignore[assignment]


class PubkeySerializer(KeySerializer):
    """The public half of a key pair."""

    has_private_key = serializers.BooleanField(
        read_only=True, help_text="Is the private half kept here?"
    )
    public_key = serializers.CharField(read_only=True, help_text="As in authorized_keys")
    resource_uri = ResourceUriField(PUBKEYS, help_text="The path of this public key")
