"""The service that tests share, with the process that serves events."""

from collections.abc import Iterator

import httpx
import pytest

from tests.service import Service

STRANGER = "listening-stranger@example.com"
METRICS_TOKEN = "of the process of events"


@pytest.fixture(scope="session")
def heard(service: Service) -> Service:
    """The shared service, which serves events, with a second user."""
    service.env["METRICS_TOKEN"] = METRICS_TOKEN
    service.start_events()
    service.add_user(STRANGER)
    return service


@pytest.fixture
def remote(heard: Service) -> Iterator[httpx.Client]:
    with heard.client() as client:
        yield client
