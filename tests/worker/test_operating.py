"""What `docs/operating.md` tells an operator to type: it exists, and a backup can be restored."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands, load_command_class

from tests.service import ROOT

pytestmark = pytest.mark.worker
PAGES = ("README.md", "docs/operating.md", "docs/reliability.md", "docs/configuration.md")
TYPED = re.compile(r"manage\.py ([a-z][^`\n|#…]*)")


def section(name: str) -> str:
    """Return the commands of a section of the page, for the Python of the tests."""
    page = (ROOT / "docs/operating.md").read_text()
    text = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return "\n".join(["set -eu", *blocks]).replace(".venv/bin/python", shlex.quote(sys.executable))


def typed() -> list[str]:
    """Return every management command that the pages name, with its options."""
    texts = [(ROOT / page).read_text() for page in PAGES]
    return sorted({found.strip() for text in texts for found in TYPED.findall(text)})


@pytest.mark.parametrize("line", typed())
def test_command_exists_with_its_options(line: str) -> None:
    name, *arguments = shlex.split(line)
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    if arguments[-1:] != ["--name"]:  # of this one the page leaves the value out
        parser.parse_args(arguments)


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Run commands in a shell, for a service on SQLite that is stopped; return what they print."""
    home = tmp_path / "home"
    env = os.environ | {
        "BACKUP": str(tmp_path / "backup"),
        "CLOUDJOBS_HOME": str(home),
        "DATABASE_URL": f"sqlite:///{home / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "cloudjobs.settings",
    }
    for each in ("REDIS_URL", "SECRET_KEY"):
        env.pop(each, None)

    def run(script: str) -> str:
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_backup_is_restored(run: Any, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(os.urandom(1024**2))
    manage = f"{shlex.quote(sys.executable)} manage.py"
    run(f"{manage} migrate -v0 && {manage} add_library_image {image} --name rescue")
    key = (tmp_path / "home/secret_key").read_text()
    run(section("Back up"))
    shutil.rmtree(tmp_path / "home")
    (tmp_path / "home").mkdir()
    assert "0 found" in run(section("Restore"))
    (restored,) = (tmp_path / "home/images").rglob("*.raw")
    assert restored.read_bytes().startswith(image.read_bytes())
    assert (tmp_path / "home/secret_key").read_text() == key


@pytest.mark.django_db
def test_commands_that_are_safe_at_any_time_run(
    storage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in TYPED.findall(section("When something is wrong")):
        call_command(*shlex.split(line))
    assert capsys.readouterr().out.splitlines() == [
        "0 jobs were queued again.",
        "0 found; --fix puts them right.",
        "0 trees of 0 jobs would be deleted.",
    ]
