"""File systems of their own for tests, such as one that is soon full."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Mount = Callable[..., Path]


@pytest.fixture
def mount(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mount]:
    """Mounts a file system and unmounts it afterwards; skips where that is not allowed."""
    mounted: list[Path] = []

    def do_mount(*options: str) -> Path:
        target = tmp_path_factory.mktemp("mount")
        command = ["mount", *options, str(target)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
        mounted.append(target)
        return target

    yield do_mount
    for target in mounted:
        subprocess.run(["umount", target], check=True)
