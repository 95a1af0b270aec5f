"""A chunked upload to the real service: several threads, and a web server that dies meanwhile."""

import os
import random
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.chunks import CHUNK, FORM, chunks_of, fields, form
from tests.factories import MIB
from tests.service import Service, kill_tree

pytestmark = pytest.mark.worker


def upload_missing(client: httpx.Client, drive: str, data: bytes, numbers: list[int]) -> list[int]:
    """Send the chunks that are not there yet, with four threads; return which those were."""
    chunks = chunks_of(data)

    def send(number: int) -> int | None:
        said = fields(number, len(data))
        if client.get(f"/drives/{drive}/upload/", params=said).status_code == 200:
            return None
        body = form(said, chunks[number])
        headers = {"Content-Type": FORM}
        client.post(f"/drives/{drive}/upload/", content=body, headers=headers).raise_for_status()
        return number

    with ThreadPoolExecutor(4) as threads:
        return [number for number in threads.map(send, numbers) if number]


def test_upload_goes_on_after_the_web_server_was_killed(fresh_service: Service) -> None:
    data = os.urandom(3 * MIB + 12345)
    numbers = random.Random(7).sample(range(1, len(data) // CHUNK + 1), len(data) // CHUNK)
    half = numbers[: len(numbers) // 2]
    with fresh_service.client() as client:
        definition = {"name": "a", "media": "disk", "size": len(data)}
        begun = client.post("/initupload/", json={"objects": [definition]})
        drive = begun.json()["objects"][0]["uuid"]
        assert sorted(upload_missing(client, drive, data, half)) == sorted(half)
    assert fresh_service.web
    kill_tree(fresh_service.web)
    fresh_service.start_web()
    with fresh_service.client() as client:
        sent = upload_missing(client, drive, data, numbers)
        assert not set(sent) & set(half)
        assert client.get(f"/drives/{drive}/").json()["status"] == "unmounted"
        end = {"Range": f"bytes=0-{len(data) - 1}"}
        assert client.get(f"/drives/{drive}/download/", headers=end).content == data
