"""`/metrics` of a process of events: how many sockets it has open, for Prometheus."""

from collections.abc import Iterator
from http import HTTPStatus

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from websockets.http11 import Request

from cloudjobs.metrics.token import has_token
from events.hub import Hub

PATH = "/metrics"


class SocketCollector:
    """Counts what the hub has."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def collect(self) -> Iterator[Metric]:
        owners = self.hub.owners.values()
        sockets = sum(len(owner.sockets) for owner in owners)
        yield GaugeMetricFamily("cloudjobs_event_sockets", "Web sockets that are open.", sockets)
        yield GaugeMetricFamily("cloudjobs_event_users", "Users who have some.", len(owners))


def figures_of(hub: Hub, request: Request) -> tuple[HTTPStatus, str]:
    """Return the figures to who has the token; to others there are none."""
    said = request.headers.get_all("Authorization")
    if len(said) != 1 or not has_token(said[0]):
        return HTTPStatus.NOT_FOUND, "There is nothing here."
    return HTTPStatus.OK, generate_latest(SocketCollector(hub)).decode().rstrip("\n")
