"""HEAD as the real web server answers it: without a body, so that the connection stays usable."""

import time

import pytest

from tests.factories import MIB
from tests.service import Service

pytestmark = pytest.mark.worker


def test_head_of_a_large_image_is_answered_at_once(service: Service) -> None:
    with service.client() as client:
        octets = {"Content-Type": "application/octet-stream"}
        uuid = client.post("/drives/upload/", content=b"boot", headers=octets).text
        began = time.monotonic()
        for _ in range(3):
            answer = client.head(f"/drives/{uuid}/download/")
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer.headers["Content-Length"] == str(512 * MIB)
        assert time.monotonic() - began < 5
        assert client.get(f"/drives/{uuid}/").json()["uuid"] == uuid
