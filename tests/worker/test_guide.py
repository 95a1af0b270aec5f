"""`docs/guide.md` is done as it stands there, in a shell: the service answers what is shown."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.service import ROOT, Service

pytestmark = pytest.mark.worker
GUIDE = ROOT / "docs/guide.md"
EMAIL, PASSWORD = "demo@example.com", "demo"  # as `make run` makes them
END = "--- end of a block ---"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MAKE_ACCOUNT = (
    "from accounts.models import User; from accounts.tokens import create_token;"
    f"print(create_token(User.objects.create_user('{EMAIL}', '{PASSWORD}'), 'guide')[1])"
)


def blocks() -> list[tuple[str, Any]]:
    """Return the guide's commands, each with the answer that is shown below it, or None."""
    found: list[tuple[str, Any]] = []
    for kind, text in BLOCK.findall(GUIDE.read_text()):
        if kind == "sh":
            found.append((text, None))
        else:
            found[-1] = (found[-1][0], json.loads(text))
    return found


def shape_of(value: Any) -> Any:
    """Return names and types, without what differs from one time to the next."""
    if isinstance(value, dict):
        return {name: shape_of(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape_of(part) for part in value]
    return type(value).__name__


def script_for(service: Service) -> str:
    """Return all commands in one script, for this service."""
    parts = [f"{text}\necho '\n{END}'" for text, _ in blocks()]
    script = "set -eu -o pipefail\n" + "\n".join(parts)
    return script.replace("http://127.0.0.1:8000", service.url)


@pytest.fixture
def answers(service: Service, tmp_path: Path) -> list[str]:
    """Run the guide in a shell and return what each block prints."""
    if not shutil.which("curl"):
        pytest.skip("there is no curl")
    token = service.manage("shell", "-v0", "-c", MAKE_ACCOUNT).strip()
    done = subprocess.run(
        ["bash", "-c", script_for(service)],
        cwd=tmp_path,
        env=os.environ | {"token": token},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []  # the guide cleans up behind itself
    return done.stdout.split(END)[:-1]


def test_guide_answers_what_it_shows(answers: list[str]) -> None:
    for (text, expected), printed in zip(blocks(), answers, strict=True):
        if expected is not None:
            assert shape_of(json.loads(printed)) == shape_of(expected), text
