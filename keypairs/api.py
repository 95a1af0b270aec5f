"""`/keypairs/`, and `/pubkeys/`, which shows the same without the private keys."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cloudjobs.api.bodies import objects_of, validate_each
from cloudjobs.api.openapi.exchanges import Exchange, created, updated
from cloudjobs.api.viewsets import Names, ResourceViewSet
from keypairs import actions
from keypairs.actions import KeySpec
from keypairs.models import KeyPair
from keypairs.serializers import (
    KEYPAIRS,
    KeyPairRequest,
    KeyPairSchema,
    KeyPairSerializer,
    PubkeySerializer,
)

EXAMPLE = {"name": "laptop", "algorithm_type": "ed25519"}


class KeysViewSet(ResourceViewSet):
    """The keys of the user who asks; nobody else ever sees one."""

    default_order: ClassVar[tuple[str, ...]] = ("created_at",)
    filter_lookups: ClassVar[dict[str, str]] = {
        "fingerprint": "fingerprint",
        "name": "name",
        "name__contains": "name__icontains",
        "uuid": "pk",
    }
    ordering_lookups: ClassVar[dict[str, str]] = {"uuid": "pk", "name": "name"}
    schema_filtering: ClassVar[dict[str, Any]] = dict.fromkeys(filter_lookups, "exact")
    schema_ordering: ClassVar[Names] = ["uuid", "name"]

    def get_queryset(self) -> QuerySet[KeyPair]:
        return KeyPair.objects.owned_by(self.owner)

    @action(detail=False, url_path="detail")
    def detailed_list(self, request: Request) -> HttpResponseBase:
        """Answer the same as the plain list, which is complete already."""
        return self.list(request)


class PubkeyViewSet(KeysViewSet):
    """Public keys: to look at."""

    serializer_class = PubkeySerializer


class KeyPairViewSet(KeysViewSet):
    """Key pairs with what is kept of their private keys."""

    serializer_class = KeyPairSerializer
    schema_serializer_class = KeyPairSchema
    exchanges: ClassVar[dict[str, Exchange]] = {
        "create": created(KeyPairRequest, KeyPairSerializer, EXAMPLE),
        "update": updated(KeyPairRequest, KeyPairSerializer, EXAMPLE),
    }
    schema_list_methods: ClassVar[Names] = ["get", "post"]
    schema_detail_methods: ClassVar[Names] = ["get", "put", "delete"]

    def create(self, request: Request) -> Response:
        """Make one key pair, or several of which all are made or none."""
        given = validate_each(KeyPairRequest, objects_of(request.data))
        pairs = actions.create_keypairs(self.owner, [KeySpec(**one) for one in given])
        return self.made(KEYPAIRS, pairs)

    def update(self, request: Request, uuid: str) -> Response:
        """Change a key pair by its full definition; the keys stay as they are."""
        spec = KeySpec(**validate_each(KeyPairRequest, [request.data])[0])
        pair = actions.update_keypair(UUID(uuid), self.owner, spec)
        return Response(self.serialize([pair])[0])

    def destroy(self, request: Request, uuid: str) -> Response:
        """Delete one key pair."""
        actions.delete_keypair(UUID(uuid), self.owner)
        return Response(status=status.HTTP_204_NO_CONTENT)
