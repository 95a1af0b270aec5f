"""Announcements: what goes to whoever listens, and that nothing fails where nobody does."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import User
from cloudjobs import announcing
from cloudjobs.announcing import announce, decode, lines
from drives.actions import DriveSpec
from drives.library.actions import move_to_library
from drives.models import Drive
from drives.reconciliation import find, fix
from drives.uploads.actions import begin_uploads, find_upload, store_chunk
from drives.uploads.spans import Span
from tests.factories import DriveFactory

Commits = DjangoCaptureOnCommitCallbacks


class Ear:
    """Listens as the process that serves events does."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(lines.local_address())
        self.socket.listen()
        self.socket.settimeout(5)
        self.lines: Any = None

    def hear(self) -> tuple[str, list[tuple[str, str]]]:
        """Return the next announcement."""
        if self.lines is None:
            connection, _ = self.socket.accept()
            connection.settimeout(5)
            self.lines = connection.makefile("rb")
            connection.close()
        return decode(self.lines.readline())

    def close(self) -> None:
        self.socket.close()
        if self.lines is not None:
            self.lines.close()
        os.unlink(lines.local_address())


@pytest.fixture(autouse=True)
def own_line(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """Give the test a folder to announce through, and no Redis."""
    settings.CLOUDJOBS_HOME, settings.REDIS_URL = tmp_path, ""
    caches = (announcing.line, lines.open_home)
    for each in caches:
        each.cache_clear()
    yield
    announcing.line().hang_up()  # type: ignore[attr-defined]
    os.close(lines.open_home())
    for each in caches:
        each.cache_clear()


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.close()


def test_image_that_came_in_chunks_is_announced(
    owner: User, ear: Ear, transactional_db: None, storage: Path
) -> None:
    (drive,) = begin_uploads(owner, [DriveSpec("chunks", 100)], frozenset())
    span = Span(0, 100)
    store_chunk(find_upload(drive.pk, owner), span, BytesIO(b"x" * 100))
    assert [ear.hear() for _ in range(2)] == [of_drive(owner, drive)] * 2


def test_drive_that_moves_to_the_library_is_announced_to_who_had_it(
    owner: User, ear: Ear, transactional_db: None, storage: Path
) -> None:
    drive = DriveFactory(owner=owner)
    move_to_library(drive.pk)
    assert [ear.hear() for _ in range(2)] == [of_drive(owner, drive)] * 2


def test_drive_that_reconciliation_puts_right_is_announced(
    owner: User, ear: Ear, transactional_db: None, storage: Path
) -> None:
    drive = DriveFactory(owner=owner, status=Drive.Status.CREATING)
    (finding,) = find()
    assert fix(finding)
    assert [ear.hear() for _ in range(2)] == [of_drive(owner, drive)] * 2


def of_drive(owner: User, drive: Drive) -> tuple[str, list[tuple[str, str]]]:
    return str(owner.pk), [("drives", str(drive.pk))]


def test_announcement_says_whose_what_and_which(
    owner: User, ear: Ear, transactional_db: None
) -> None:
    announce(owner.pk, [("drives", owner.pk), ("jobs", owner.pk)])
    key = str(owner.pk)
    assert ear.hear() == (key, [("drives", key), ("jobs", key)])


def test_announcement_waits_for_the_commit(owner: User, ear: Ear, transactional_db: None) -> None:
    with suppress(ZeroDivisionError), transaction.atomic():
        announce(owner.pk, [("drives", "rolled back")])
        raise ZeroDivisionError
    with transaction.atomic():
        announce(owner.pk, [("drives", "committed")])
        announce(owner.pk, [("drives", "later")])
    assert [ear.hear()[1] for _ in range(2)] == [[("drives", "committed")], [("drives", "later")]]


def test_long_announcement_goes_in_pieces(owner: User, ear: Ear, transactional_db: None) -> None:
    things = [("jobs", str(number)) for number in range(450)]
    announce(owner.pk, things)
    pieces = [ear.hear()[1] for _ in range(3)]
    assert [thing for piece in pieces for thing in piece] == things
    assert max(map(len, pieces)) == 200


def test_nobody_need_listen(owner: User, transactional_db: None) -> None:
    announce(owner.pk, [("drives", owner.pk)])
    drive_of_nobody = DriveFactory(owner=None)
    announce(drive_of_nobody.owner_id, [("drives", drive_of_nobody.pk)])


def test_listener_that_died_and_came_back_is_heard_by(owner: User, transactional_db: None) -> None:
    for _ in range(2):
        ear = Ear()
        announce(owner.pk, [("drives", owner.pk)])
        assert ear.hear()[0] == str(owner.pk)
        ear.close()
        announce(owner.pk, [("drives", owner.pk)])


def test_listener_that_does_not_read_holds_up_nobody(
    owner: User, ear: Ear, transactional_db: None
) -> None:
    for _ in range(2000):
        announce(owner.pk, [("drives", owner.pk)] * 20)
    assert ear.hear()[0] == str(owner.pk)


def test_home_with_a_long_path_is_no_trouble(
    settings: Settings, owner: User, tmp_path: Path, transactional_db: None
) -> None:
    os.close(lines.open_home())
    lines.open_home.cache_clear()
    settings.CLOUDJOBS_HOME = tmp_path / ("a" * 100) / ("b" * 100)
    settings.CLOUDJOBS_HOME.mkdir(parents=True)
    ear = Ear()
    announce(owner.pk, [("drives", owner.pk)])
    assert ear.hear()[0] == str(owner.pk)
    ear.close()


def test_forked_process_has_a_line_of_its_own(
    owner: User, ear: Ear, transactional_db: None
) -> None:
    announce(owner.pk, [("drives", "parent")])
    mine = announcing.line()
    child = os.fork()
    if child == 0:
        os._exit(0 if announcing.line() is not mine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("message", [b"", b"{}", b"[1]", b"\xff", b"[[],1]", b'["a",["b"]]'])
def test_what_is_no_announcement_is_told_apart(message: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        decode(message)
