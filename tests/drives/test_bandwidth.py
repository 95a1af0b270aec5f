"""The bandwidth of a storage host, as operators change it while everything runs."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client

from accounts.models import User
from cloudjobs.pages.measures import rate_text
from drives.bandwidth import keep_bandwidth, limit_bandwidth
from drives.cloning import clone_drive
from drives.models import BandwidthLimit
from drives.storage import FileBackend, Limiter, get_host
from jobs.models import Job
from tests.conftest import browser_of
from tests.factories import MIB, DriveFactory, UserFactory
from tests.html import body_of, text_of

ADDRESS = "/admin/drives/bandwidthlimit/"
HOST = "dssd-1"
COPY = """
import sys
from pathlib import Path
from uuid import UUID
from drives.storage.file import FileBackend
backend = FileBackend(Path(sys.argv[1]), bandwidth=8 * 1024**2, reflink=False)
backend.clone(
    UUID(sys.argv[3]), backend, UUID(sys.argv[2]), 24 * 1024**2, report=lambda *told: None
)
"""


@pytest.fixture
def operator(storage: Path, db: None) -> Client:
    return browser_of(UserFactory(is_staff=True, is_superuser=True))


def limiter() -> Any:
    return get_host(HOST).backend.limiter


def save(operator: Client, address: str, **said: object) -> str:
    return text_of(body_of(operator.post(f"{ADDRESS}{address}", said, follow=True)))


def command(*words: str) -> str:
    told = StringIO()
    call_command("limit_bandwidth", *words, stdout=told)
    return told.getvalue()


def start_copy(folder: Path, source: UUID) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", COPY, str(folder), str(source), str(uuid4())]
    return subprocess.Popen(words, cwd=Path(__file__).parents[2])


def test_two_copies_share_a_limit_that_is_raised_meanwhile(tmp_path: Path) -> None:
    backend, source = FileBackend(tmp_path), uuid4()
    with backend.folder.new_partial(source) as partial:
        partial.write(os.urandom(24 * MIB))
    (tmp_path / f"{source}.partial").rename(tmp_path / f"{source}.raw")
    Limiter(tmp_path / ".bandwidth").limit(MIB)
    copies = [start_copy(tmp_path, source) for _ in range(2)]
    while len(list(tmp_path.glob("*.partial"))) < 2:
        time.sleep(0.01)
    began, before = time.monotonic(), copied(tmp_path)
    time.sleep(2)
    slow = (copied(tmp_path) - before) / (time.monotonic() - began)
    Limiter(tmp_path / ".bandwidth").limit(1024 * MIB)
    assert [copy.wait(timeout=20) for copy in copies] == [0, 0]
    # A busy machine measures less; had each the limit for itself, it would be 2 MiB/s.
    assert 0.4 * MIB <= slow <= 1.5 * MIB


def copied(folder: Path) -> int:
    """Return the bytes that all unfinished copies have together."""
    return sum(path.stat().st_size for path in folder.glob("*.partial"))


def test_operator_changes_a_limit_that_holds_at_once(operator: Client) -> None:
    save(operator, "add/", storage_host=HOST, bandwidth=MIB)
    limit = BandwidthLimit.objects.get()
    assert limiter().rate == MIB
    save(operator, f"{limit.pk}/change/", bandwidth=2 * MIB)
    assert limiter().rate == 2 * MIB
    save(operator, f"{limit.pk}/change/", bandwidth="")
    assert limiter().rate is None


@pytest.mark.parametrize("bandwidth", [0, -1, 65535, 2**51, "fast"])
def test_limit_that_cannot_be_is_refused(operator: Client, bandwidth: object) -> None:
    save(operator, "add/", storage_host=HOST, bandwidth=bandwidth)
    assert (limiter().rate, BandwidthLimit.objects.count()) == (None, 0)


@pytest.mark.parametrize(
    ("said", "rate", "seen"),
    [
        ("50 MiB/s", 50 * MIB, "50 MiB/s"),
        ("1.5M", 3 * MIB // 2, "1.5 MiB/s"),
        (1_500_000, 1_500_000, "1500000"),
    ],
)
def test_limit_is_given_and_shown_in_units(
    operator: Client, said: object, rate: int, seen: str
) -> None:
    assert f"{HOST} {rate_text(rate)} " in save(operator, "add/", storage_host=HOST, bandwidth=said)
    limit = BandwidthLimit.objects.get()
    assert limit.bandwidth == rate
    form = body_of(operator.get(f"{ADDRESS}{limit.pk}/change/"))
    assert f'value="{seen}"' in form
    save(operator, f"{limit.pk}/change/", bandwidth=seen)
    limit.refresh_from_db()
    assert limit.bandwidth == rate


def test_limit_of_a_host_that_is_away_is_refused(operator: Client, storage: Path) -> None:
    get_host(HOST).backend.check()
    (storage / HOST).rmdir()
    assert "folder is missing" in save(operator, "add/", storage_host=HOST, bandwidth=MIB)
    assert not BandwidthLimit.objects.exists()


def test_two_operators_set_the_first_limit_at_once(storage: Path, transactional_db: None) -> None:
    """Where the database lets them, both find no row, and then both write one."""
    both = threading.Barrier(2)
    refused: list[Exception] = []

    def wait_for_the_other(**kwargs: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=0.3)

    def limit(bandwidth: int) -> None:
        try:
            limit_bandwidth(HOST, bandwidth)
        except Exception as error:
            refused.append(error)
        finally:
            connection.close()

    pre_save.connect(wait_for_the_other, sender=BandwidthLimit)
    try:
        operators = [threading.Thread(target=limit, args=[n * MIB]) for n in (1, 2)]
        for operator in operators:
            operator.start()
        for operator in operators:
            operator.join()
    finally:
        pre_save.disconnect(wait_for_the_other, sender=BandwidthLimit)
    assert (refused, BandwidthLimit.objects.get().bandwidth) == ([], limiter().rate)


def test_command_limits_a_host_and_tells(storage: Path, db: None) -> None:
    told = f"{HOST}: {MIB} bytes per second (1 MiB/s), set\n"
    assert told in command(HOST, str(MIB))
    assert told in command(HOST, "1MiB")
    assert f"{HOST}: not limited\n" in command(HOST, "--default")
    assert "zadara-1: 104857600 bytes per second (100 MiB/s), by the settings\n" in command()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([HOST], "Give the bandwidth"),
        ([HOST, "fast"], "A bandwidth is a number and a unit"),
        ([HOST, "0"], "greater than or equal to 65536"),
        (["nowhere", "1000000"], "no storage host 'nowhere'"),
        (["", "1000000"], "no storage host ''"),
        (["--default"], "Name the storage host"),
    ],
)
def test_command_says_what_it_cannot_do(
    storage: Path, db: None, words: list[str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        command(*words)


@pytest.fixture(params=["folder", "link", "pipe"])
def something_else(request: Any, storage: Path) -> Path:
    """Something that is no file of ours, where the file of a host's limit belongs."""
    get_host(HOST).backend.check()
    path = storage / HOST / ".bandwidth"
    make: dict[str, Callable[[], object]] = {
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(storage / "elsewhere"),
        "pipe": lambda: os.mkfifo(path),
    }
    make[request.param]()
    return path


def test_operators_are_told_of_what_is_no_file_of_a_limit(
    something_else: Path, operator: Client
) -> None:
    reason = "The bandwidth limit in .bandwidth cannot be used: "
    assert f"{HOST}: not known. {reason}" in command()
    with pytest.raises(CommandError, match=reason):
        command(HOST, str(MIB))
    assert reason in save(operator, "add/", storage_host=HOST, bandwidth=MIB)
    assert not BandwidthLimit.objects.exists()


def test_users_are_told_of_what_is_no_file_of_a_limit(
    something_else: Path, owner: User, run_jobs: Callable[[], None]
) -> None:
    source = DriveFactory(owner=owner, storage_host=HOST, image=b"data")
    clone_drive(source.pk, owner, {"name": "a copy"})
    run_jobs()
    job = Job.objects.get(operation="drive_clone")
    assert (job.state, job.error_code) == ("failed", "storage_error")
    assert job.error.startswith("The bandwidth limit in .bandwidth cannot be used: ")


@pytest.mark.parametrize("text", ["", "never", "1 x", "\0" * 16])
def test_limit_is_put_back_where_its_file_is_broken(storage: Path, db: None, text: str) -> None:
    command(HOST, str(MIB))
    (storage / HOST / ".bandwidth").write_text(text)
    keep_bandwidth(HOST)
    assert limiter().rate == MIB


def test_limit_is_put_back_where_the_folder_lost_it(storage: Path, db: None) -> None:
    command(HOST, str(MIB))
    (storage / HOST / ".bandwidth").unlink()
    keep_bandwidth(HOST)
    assert limiter().rate == MIB


def test_clones_ask_the_database_once_for_a_limit(
    storage: Path, db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        for _ in range(3):
            keep_bandwidth(HOST)
