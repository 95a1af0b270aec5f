import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from drives.storage.limiter import MAX_CHUNK, MIN_CHUNK, Limiter

MIB = 1024 * 1024
TAKE = """
import sys
from drives.storage.limiter import Limiter
limiter = Limiter(sys.argv[1], 4 * 1024 * 1024)
for _ in range(8):
    limiter.take(limiter.chunk)
"""


def seconds(limiter: Limiter, takes: int, n: int) -> float:
    started = time.monotonic()
    for _ in range(takes):
        limiter.take(n)
    return time.monotonic() - started


def test_two_processes_share_the_rate(tmp_path: Path) -> None:
    path = tmp_path / ".bandwidth"
    started = time.time()
    command = [sys.executable, "-c", TAKE, str(path)]
    processes = [subprocess.Popen(command, cwd=Path(__file__).parents[3]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    # 16 takes of a tenth of a second each; the burst may have been used twice, before each start.
    assert float(path.read_text()) - started >= 1.4
    assert 1.2 <= time.time() - started < 20


def test_one_process_keeps_the_rate(tmp_path: Path) -> None:
    assert 0.35 <= seconds(Limiter(tmp_path / "b", 10 * MIB), 6, MIB) < 5


def test_unused_bandwidth_is_not_saved_up(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path / "b", 10 * MIB)
    limiter.take(1)
    time.sleep(0.4)
    assert seconds(limiter, 4, MIB) >= 0.15


@pytest.mark.parametrize(
    "text", ["", "rubbish" * 30, "nan", "inf", "99999999999.0", "-5", "\0", "1 0", "1 -7", "1 x"]
)
def test_a_bad_file_heals_itself(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b"
    path.write_text(text)
    assert seconds(Limiter(path, 10 * MIB), 1, MIB) < 5
    assert abs(float(path.read_text()) - time.time()) < 5
    assert Limiter(path, 10 * MIB).rate == 10 * MIB


def test_stop_ends_the_wait(tmp_path: Path) -> None:
    limiter, stop = Limiter(tmp_path / "b", MIN_CHUNK), threading.Event()
    limiter.take(20 * MIN_CHUNK)
    threading.Timer(0.05, stop.set).start()
    started = time.monotonic()
    limiter.take(MIN_CHUNK, stop)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("rate", "chunk"), [(1, MIN_CHUNK), (20 * MIB, 2 * MIB), (1000 * MIB, MAX_CHUNK)]
)
def test_chunk_follows_the_rate(tmp_path: Path, rate: int, chunk: int) -> None:
    assert Limiter(tmp_path / "b", rate).chunk == chunk


def test_a_rate_of_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="positive"):
        Limiter(tmp_path / "b", 0)


def test_a_rate_that_is_set_goes_before_the_default(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path / "b", 10 * MIB)
    limiter.limit(20 * MIB)
    limiter.take(1)
    assert Limiter(tmp_path / "b", 10 * MIB).rate == 20 * MIB
    limiter.limit(None)
    assert (limiter.rate, limiter.chunk) == (10 * MIB, MIB)


def test_who_waits_at_a_low_rate_goes_on_once_it_is_raised(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path / "b", MIN_CHUNK)
    limiter.take(30 * MIN_CHUNK)
    threading.Timer(0.2, limiter.limit, [100 * MIB]).start()
    assert seconds(limiter, 1, MIN_CHUNK) < 10


def test_without_a_rate_everything_passes(tmp_path: Path) -> None:
    limiter = Limiter(tmp_path / "b")
    assert seconds(limiter, 100, MAX_CHUNK) < 5
    assert not (tmp_path / "b").exists()
