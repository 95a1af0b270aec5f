"""Putting messages into a queue in Redis that does not answer."""

import socket
import time
from collections.abc import Iterator

import pytest
import redis
from pytest_django import Settings

from jobs import redis_broker
from jobs.redis_broker import RedisQueue


@pytest.fixture
def silent(settings: Settings) -> Iterator[socket.socket]:
    """Something that takes connections in the place of Redis, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield server


def test_only_the_first_of_many_messages_is_waited_for(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_broker, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(redis_broker, "LEFT_ALONE_SECONDS", 60)
    queue = RedisQueue("jobs")
    with pytest.raises(redis.RedisError):
        queue.enqueue("first")
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(redis.RedisError, match="did not answer a moment ago"):
            queue.enqueue("another")
    assert time.monotonic() - began < 0.1 * 100


def test_it_is_asked_again_later(silent: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_broker, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(redis_broker, "LEFT_ALONE_SECONDS", 0)
    queue = RedisQueue("jobs")
    for message in ("first", "second"):
        with pytest.raises(redis.TimeoutError):
            queue.enqueue(message)
