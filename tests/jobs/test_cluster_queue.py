"""What the processes of a cluster share, when one of them is really killed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import django_q.cluster
import pytest

from jobs.cluster import KernelEvent, SharedTimer, SocketQueue, survive_killed_workers
from tests.service import eventually

# Newer Pythons warn of forks beside threads; pytest-xdist has some.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

forked = multiprocessing.get_context("fork")
Start = Callable[..., BaseProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a function in a process of its own, which is killed after the test."""
    started: list[BaseProcess] = []

    def run(work: Callable[..., Any], *arguments: Any) -> BaseProcess:
        process = forked.Process(target=work, args=arguments, daemon=True)
        process.start()
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.join()


def take(queue: SocketQueue, answers: Path) -> None:
    """Note every message, in a file of one's own, until the one that says stop."""
    with (answers / str(os.getpid())).open("w", buffering=1) as noted:
        for message in iter(queue.get, "STOP"):
            noted.write(f"{message}\n")


def taken(answers: Path) -> list[str]:
    """Return all messages that arrived."""
    return [line for path in answers.iterdir() for line in path.read_text().split()]


def readers(start: Start, queue: SocketQueue, answers: Path, number: int) -> list[BaseProcess]:
    """Start readers and wait until all of them wait for messages."""
    processes = [start(take, queue, answers) for _ in range(number)]
    eventually(lambda: len(list(answers.iterdir())) == number, 10)
    time.sleep(0.05)
    return processes


def kill(process: BaseProcess) -> None:
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_each_message_has_one_reader(start: Start, tmp_path: Path) -> None:
    queue = SocketQueue()
    processes = readers(start, queue, tmp_path, 3)
    for number in range(300):
        queue.put(number)
    for _ in processes:
        queue.put("STOP")
    for process in processes:
        process.join(10)
    assert sorted(taken(tmp_path), key=int) == [str(number) for number in range(300)]


def test_messages_keep_their_order() -> None:
    queue = SocketQueue()
    for number in range(20):
        queue.put(number)
    assert [queue.get() for _ in range(20)] == list(range(20))


def test_message_may_be_any_object() -> None:
    queue, message = SocketQueue(), ("key", {"id": 1, "args": (None, b"\0" * 2000)}, [1.5])
    queue.put(message)
    assert queue.get() == message


@pytest.mark.parametrize("killed", [0, 1, 2])
def test_idle_reader_that_is_killed_does_not_block_the_others(
    start: Start, tmp_path: Path, killed: int
) -> None:
    queue = SocketQueue()
    processes = readers(start, queue, tmp_path, 3)
    kill(processes[killed])
    for number in range(50):
        queue.put(number)
    eventually(lambda: len(taken(tmp_path)) == 50, 10)


def test_all_readers_but_one_may_be_killed(start: Start, tmp_path: Path) -> None:
    queue = SocketQueue()
    for process in readers(start, queue, tmp_path, 4)[:-1]:
        kill(process)
    queue.put("last")
    eventually(lambda: taken(tmp_path) == ["last"], 10)


def test_reader_that_comes_later_gets_what_waits(start: Start, tmp_path: Path) -> None:
    queue = SocketQueue()
    (process,) = readers(start, queue, tmp_path, 1)
    kill(process)
    queue.put("waits")
    start(take, queue, tmp_path)
    eventually(lambda: taken(tmp_path) == ["waits"], 10)


def put_for_ever(queue: SocketQueue) -> None:
    while True:
        queue.put("again")


def test_writer_that_is_killed_does_not_block_the_queue(start: Start) -> None:
    queue = SocketQueue(1)
    writer = start(put_for_ever, queue)
    assert queue.get() == "again"
    kill(writer)
    while not queue.empty():
        assert queue.get() == "again"
    queue.put("after")
    assert queue.get() == "after"


def put_many(queue: SocketQueue, counter: Any) -> None:
    for number in range(10_000):
        queue.put(number)
        counter.value = number + 1


def test_full_queue_lets_its_writer_wait(start: Start) -> None:
    queue, counter = SocketQueue(1), SharedTimer("f", 0)
    start(put_many, queue, counter)
    eventually(lambda: counter.value > 0, 10)
    time.sleep(0.3)
    held = counter.value
    assert held < 200
    assert queue.get() == 0
    for expected in range(1, 500):
        assert queue.get() == expected


def test_queue_tells_whether_there_is_something() -> None:
    queue = SocketQueue()
    seen = [(queue.empty(), queue.qsize())]
    queue.put("x")
    queue.put("y")
    seen.append((queue.empty(), queue.qsize()))
    queue.get()
    queue.get()
    seen.append((queue.empty(), queue.qsize()))
    assert seen == [(True, 0), (False, 1), (True, 0)]


def test_closing_loses_nothing() -> None:
    queue = SocketQueue()
    queue.put("kept")
    queue.close()
    queue.join_thread()
    assert queue.get() == "kept"


def wait_for(event: KernelEvent, waited: SharedTimer) -> None:
    waited.value = 1
    event.wait(60)
    waited.value = 2


def test_event_is_heard_by_all_who_wait_though_one_of_them_was_killed(start: Start) -> None:
    event, timers = KernelEvent(), [SharedTimer("f", 0) for _ in range(3)]
    killed, *others = [start(wait_for, event, timer) for timer in timers]
    eventually(lambda: all(timer.value == 1 for timer in timers), 10)
    kill(killed)
    assert not event.is_set()
    assert not event.wait(0.01)
    event.set()
    assert event.is_set()
    for process in others:
        process.join(10)
    assert [timer.value for timer in timers] == [1, 2, 2]


def set_timer(timer: SharedTimer) -> None:
    with timer.get_lock():
        timer.value = 7.5


def test_timer_is_shared(start: Start) -> None:
    timer = SharedTimer("f", 3)
    assert timer.value == 3
    start(set_timer, timer).join(10)
    assert timer.value == 7.5


def hold_timer(timer: SharedTimer) -> None:
    with timer.get_lock():
        timer.value = -1
        time.sleep(60)


def test_holder_of_the_timer_that_is_killed_does_not_block_it(start: Start) -> None:
    timer = SharedTimer("f", 3)
    holder = start(hold_timer, timer)
    eventually(lambda: timer.value == -1, 10)
    kill(holder)
    with timer.get_lock():
        timer.value -= 1
    assert timer.value == -2


def test_clusters_are_built_with_these(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django_q.cluster, "Queue", None)
    monkeypatch.setattr(django_q.cluster, "Value", None)
    monkeypatch.setattr(django_q.cluster, "Event", None)
    survive_killed_workers()
    made = (django_q.cluster.Queue, django_q.cluster.Value, django_q.cluster.Event)
    assert made == (SocketQueue, SharedTimer, KernelEvent)
