"""A folder hangs: who asks it first waits, all others are told, until it answers again."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from uuid import UUID

import pytest

from drives.storage import hanging
from drives.storage.errors import StorageError
from drives.storage.file import FileBackend

Hung = Future[int]


@pytest.fixture
def hung(backend: FileBackend, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Hung, Event]]:
    """Somebody asks for the free space of a folder that hangs until the event is set."""
    asked, answers, statvfs = Event(), Event(), os.statvfs

    def hang(*args: str) -> os.statvfs_result:
        asked.set()
        answers.wait(60)
        return statvfs(*args)

    monkeypatch.setattr(os, "statvfs", hang)
    monkeypatch.setattr(hanging, "HANGS_AFTER", 0.05)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(backend.free)
        assert asked.wait(10)
        Event().wait(0.1)
        yield waiting, answers
        answers.set()


@pytest.mark.parametrize("question", ["free", "capacity", "volume"])
def test_folder_that_hangs_is_not_asked_again(
    backend: FileBackend, hung: tuple[Hung, Event], question: str
) -> None:
    with pytest.raises(StorageError, match="The storage does not answer"):
        getattr(backend, question)()


def test_image_in_it_is_not_looked_at(
    backend: FileBackend, source: UUID, hung: tuple[Hung, Event]
) -> None:
    with pytest.raises(StorageError, match="The storage does not answer"):
        backend.allocated(source)


@pytest.mark.parametrize("question", ["open", "is_being_written", "check"])
def test_neither_is_it_opened(
    backend: FileBackend, source: UUID, hung: tuple[Hung, Event], question: str
) -> None:
    with pytest.raises(StorageError, match="The storage does not answer"):
        getattr(backend, question)(*([] if question == "check" else [source]))


def test_only_one_is_lost_to_it(
    backend: FileBackend, hung: tuple[Hung, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hanging, "HANGS_AFTER", 1)  # none of them knows yet that it hangs
    with ThreadPoolExecutor(8) as threads:
        others = [threads.submit(backend.free) for _ in range(8)]
    for other in others:
        with pytest.raises(StorageError, match="The storage does not answer"):
            other.result()
    assert not hung[0].done()


def test_many_who_ask_a_folder_that_answers_are_all_answered(backend: FileBackend) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = threads.map(lambda _: backend.free() > 0, range(200))
        assert all(answers)


def test_folder_is_asked_again_once_it_has_answered(
    backend: FileBackend, hung: tuple[Hung, Event]
) -> None:
    waiting, answers = hung
    answers.set()
    assert waiting.result(10) > 0
    assert backend.free() > 0
