"""`/servers/` and `/capabilities/`."""

from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cloudjobs.api.bodies import objects_of, uuids_in, validate_each
from cloudjobs.api.filters import Condition
from cloudjobs.api.openapi.components import component
from cloudjobs.api.openapi.exchanges import (
    AVOID,
    Exchange,
    Shape,
    cloned,
    created,
    deleted,
    deleted_several,
    parameter,
    updated,
)
from cloudjobs.api.viewsets import UUID_PATTERN, Names
from drives.api import UUIDS
from drives.serializers import DeletionRequest
from jobs.api import WorkedOnViewSet
from jobs.idempotency import answer_once
from servers import actions
from servers.actions import CloneWishes, ServerSpec
from servers.limits import capabilities
from servers.models import Server
from servers.querysets import KIND
from servers.requests import ServerCloneRequest, ServerRequest, mount_specs, nic_specs
from servers.schema import CapabilitiesSchema, CapabilitiesTextSchema, ServerSchema
from servers.serializers import (
    RuntimeSerializer,
    ServerSerializer,
    ShortServerSerializer,
    TaggedServerSerializer,
)
from tags.api import Tagged
from tags.models import TagLink

EXAMPLE = {"name": "web", "cpu": 2000, "mem": 1024**3, "vnc_password": "a secret"}
DONE = Exchange(component("ActionDone"), status=status.HTTP_202_ACCEPTED)
RECURSE = parameter(
    "recurse",
    {"type": "string", "enum": ["all_drives", "disks", "cdroms"]},
    "Which of the drives are deleted with the server",
)


class ServerViewSet(WorkedOnViewSet):
    """The servers of the user who asks."""

    page_namespace = "servers"
    kind = KIND
    serializer_class = ServerSerializer
    short_serializer_class = ShortServerSerializer
    schema_serializer_class = ServerSchema
    action_methods: ClassVar[dict[str, str]] = {
        "clone": "clone",
        "start": "start",
        "stop": "stop",
        "shutdown": "shut_down",
    }
    exchanges: ClassVar[dict[str, Exchange]] = {
        "create": created(ServerRequest, ServerSerializer, EXAMPLE, errors=(404,)),
        "update": updated(ServerRequest, ServerSerializer, EXAMPLE),
        "destroy": deleted(RECURSE),
        "destroy_several": deleted_several(DeletionRequest, RECURSE),
        "clone": cloned(ServerCloneRequest, ServerSerializer, {"name": "web-2"}, Shape.BARE),
        "start": replace(DONE, query=(AVOID,)),
        "stop": DONE,
        "shutdown": DONE,
        "availability_groups": Exchange({"type": "array", "items": UUIDS}),
        "availability_group": Exchange(UUIDS),
        "runtime": Exchange(RuntimeSerializer),
    }

    filter_conditions: ClassVar[dict[str, Condition]] = {"tag": TagLink.objects.tagged(KIND)}

    def get_queryset(self) -> QuerySet[Server]:
        return Server.objects.owned_by(self.owner).with_parts()

    def create(self, request: Request) -> Response:
        """Make one server, or several of which all are made or none."""
        given = validate_each(ServerRequest, objects_of(request.data))
        servers = actions.create_servers(self.owner, [server_spec(one) for one in given])
        return self.made(KIND, servers)

    def update(self, request: Request, uuid: str) -> Response:
        """Change a server by its full definition."""
        spec = server_spec(validate_each(ServerRequest, [request.data])[0])
        server = actions.update_server(UUID(uuid), self.owner, spec)
        return Response(self.serialize([server])[0])

    def destroy(self, request: Request, uuid: str) -> Response:
        """Delete one server, and those of its drives that `?recurse=` names."""
        recurse = request.query_params.get("recurse", "")
        actions.delete_servers([UUID(uuid)], self.owner, recurse)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def destroy_several(self, request: Request) -> Response:
        """Delete the servers that the body lists, all or none."""
        listed = validate_each(DeletionRequest, objects_of(request.data))
        recurse = request.query_params.get("recurse", "")
        actions.delete_servers([item["uuid"] for item in listed], self.owner, recurse)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def clone(self, request: Request, uuid: str) -> Response:
        """Make one clone, however often the request is sent with the same `Idempotency-Key`."""
        return answer_once(request, lambda: self.clone_now(request, uuid))

    def clone_now(self, request: Request, uuid: str) -> Response:
        """Make a new server like this one; jobs clone its disks."""
        given = validate_each(ServerCloneRequest, [request.data])[0]
        wishes = CloneWishes(**given, avoid=uuids_in(request, "avoid"))
        server = actions.clone_server(UUID(uuid), self.owner, wishes)
        return Response(self.serialize([server])[0], status.HTTP_202_ACCEPTED)

    def start(self, request: Request, uuid: str) -> Response:
        """Start a stopped server. There is one hypervisor, so `?avoid=` has nowhere to go."""
        uuids_in(request, "avoid")
        actions.start_server(UUID(uuid), self.owner)
        return done("start", uuid)

    def stop(self, request: Request, uuid: str) -> Response:
        """Take the power from a running server."""
        actions.stop_server(UUID(uuid), self.owner)
        return done("stop", uuid)

    def shut_down(self, request: Request, uuid: str) -> Response:
        """Ask the guest of a running server to shut down."""
        actions.shut_down_server(UUID(uuid), self.owner)
        return done("shutdown", uuid)

    @action(detail=True)
    def runtime(self, request: Request, uuid: str) -> Response:
        """Answer what the server does now, which is part of the whole server, too."""
        return Response(RuntimeSerializer(self.get_object()).data)

    @action(detail=False, url_path="availability_groups")
    def availability_groups(self, request: Request) -> Response:
        """Answer the uuids of the servers, grouped by the hypervisor: there is one."""
        group = self.own_uuids()
        return Response([group] if group else [])

    @action(detail=False, url_path=f"availability_groups/(?P<uuid>{UUID_PATTERN})")
    def availability_group(self, request: Request, uuid: str) -> Response:
        """Answer the uuids of the servers on the same hypervisor as this one."""
        self.get_object()
        return Response(self.own_uuids())

    def own_uuids(self) -> Names:
        mine = Server.objects.owned_by(self.owner).order_by("created_at", "pk")
        return [str(uuid) for uuid in mine.values_list("pk", flat=True)]


class TaggedServerViewSet(Tagged, ServerViewSet):
    """`/tags/{uuid}/servers/`, and its `detail/`: the servers that have a tag."""

    short_serializer_class = TaggedServerSerializer


class CapabilitiesView(APIView):
    """What drives and servers may be made of here."""

    exchanges: ClassVar[dict[str, Exchange]] = {"get": Exchange(CapabilitiesSchema)}

    def get(self, request: Request) -> Response:
        return Response(capabilities())


class CapabilitiesSchemaView(APIView):
    """What `/capabilities/` is; it has no fields of its own to be described."""

    exchanges: ClassVar[dict[str, Exchange]] = {"get": Exchange(CapabilitiesTextSchema)}

    def get(self, request: Request) -> Response:
        text = "What drives and servers may be made of in this installation"
        return Response({"allowed_methods": ["get"], "help_text": text})


def server_spec(given: dict[str, Any]) -> ServerSpec:
    """Return what a checked request says of a server."""
    parts = {"drives", "nics", "tags", "pubkeys"}
    return ServerSpec(
        fields={name: value for name, value in given.items() if name not in parts},
        mounts=mount_specs(given.get("drives")),
        nics=nic_specs(given.get("nics")),
        tags=given.get("tags"),
        pubkeys=given.get("pubkeys"),
    )


def done(name: str, uuid: str) -> Response:
    body = {"action": name, "result": "success", "uuid": uuid}
    return Response(body, status.HTTP_202_ACCEPTED)
