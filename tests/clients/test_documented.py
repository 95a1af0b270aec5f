"""docs/clients.md: what it tells to type works as it stands there, section by section."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import Login
from tests.service import BIN, ROOT, Service

PAGE = (ROOT / "docs/clients.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED = {
    "sh": "{}",
    "ini": "cat >~/.cloudsigma.conf <<'END'\n{}END\n",
    "python": "python - <<'END'\n{}END\n",
}
MAKE_TOKEN = """
from accounts.models import User
from accounts.tokens import create_token
print(create_token(User.objects.get(email="{}"), "for curl")[1])
"""


def section(title: str) -> str:
    (found,) = [part for part in PAGE.split("\n## ") if part.startswith(f"{title}\n")]
    return "".join(TYPED[language].format(text) for language, text in BLOCK.findall(found))


def typed(cloud: Service, login: Login, title: str, home: Path) -> list[str]:
    """Type what a section says, with the names of the real service; return the lines printed."""
    text = section(title)
    names = {
        "cloud.example.com": login.host,
        "8443": str(login.port),
        "me@example.com": login.email,
        "secret": login.password,
        "/etc/ssl/cloud.pem": str(login.authority),
    }
    if "cj_…" in text:
        names["cj_…"] = cloud.manage("shell", "-v0", "-c", MAKE_TOKEN.format(login.email)).strip()
    for name, real in names.items():
        text = text.replace(name, real)
    variables = {"HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=text,
        cwd=home,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_curl_logs_in_by_password_and_by_token(
    cloud: Service, login: Login, tmp_path: Path
) -> None:
    (answers,) = typed(cloud, login, "curl", tmp_path)  # as no answer ends its line
    assert f'"email":"{login.email}"' in answers
    assert answers.endswith('"objects":[]}')


def test_sdk_clones_and_uploads(cloud: Service, login: Login, tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(os.urandom(100_000))
    assert typed(cloud, login, "CloudSigma's SDK for Python", tmp_path) == ["success"]
    with cloud.client(login.email) as client:
        drives = client.get("/drives/detail/").json()["objects"]
    assert [(one["name"], one["status"]) for one in drives] == [
        ("my-disk", "unmounted"),
        ("uploaded", "unmounted"),
    ]


def test_libcloud_makes_a_node(cloud: Service, login: Login, tmp_path: Path) -> None:
    assert typed(cloud, login, "Apache Libcloud", tmp_path) == ["['web-1']"]
