"""One service that speaks TLS, for all tests of client libraries; each test has its own user.

The libraries are as they come, and trust the service's authority by the means that they have.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import libcloud.security
import pytest

from tests.certificates import Certificate, make_certificate
from tests.factories import MIB
from tests.service import PASSWORD, Service, eventually, running_service

SETTINGS = "tests.clients.settings"
USERS = 60  # more than there are tests
IMAGE = "Debian 12"
FILL = f"""
from accounts.models import User
from django.core.management import call_command
for number in range({USERS}):
    User.objects.create_user(f"user-{{number}}@example.com", "{PASSWORD}")
said = {{"name": "{IMAGE}", "image_type": "preinst", "os": "linux", "arch": "64"}}
call_command("add_library_image", "%s", **said)
"""  # one process, as each takes a second to start
numbers = count()
os.environ["CLOUDSIGMA_CONFIG"] = os.devnull  # that of whoever runs the tests is theirs


@dataclass(frozen=True)
class Login:
    """Where the service is, and as whom to log in."""

    host: str
    port: int
    email: str
    authority: Path
    password: str = PASSWORD

    @property
    def api(self) -> str:
        return f"https://{self.host}:{self.port}/api/2.0/"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library image; the start is text, as one client can send nothing else."""
    path = tmp_path_factory.mktemp("image") / "debian.img"
    path.write_bytes(b"A boot record. " * 4096 + os.urandom(MIB))
    return path


@pytest.fixture(scope="session")
def cloud(
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
    certificate: Certificate,
    image: Path,
) -> Iterator[Service]:
    """The service, with users, and an image in its library."""
    home = tmp_path_factory.mktemp("cloud")
    with running_service(
        home, worker_id, certificate=certificate, DJANGO_SETTINGS_MODULE=SETTINGS
    ) as running:
        running.manage("shell", "--command", FILL % image)
        yield running


@pytest.fixture
def login(cloud: Service, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Login:
    """A user whom no other test has; requests and libcloud trust the service's authority."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.authority))
    monkeypatch.setattr(libcloud.security, "CA_CERTS_PATH", str(certificate.authority))
    address = httpx.URL(cloud.url)
    email = f"user-{next(numbers)}@example.com"
    return Login(address.host, address.port or 0, email, certificate.authority)


def first_bytes(cloud: Service, login: Login, drive: str, length: int) -> bytes:
    """Download the start of a drive."""
    with cloud.client(login.email) as client:
        some = {"Range": f"bytes=0-{length - 1}"}
        answer = client.get(f"/drives/{drive}/download/", headers=some)
    assert answer.status_code == 206
    return answer.content


def until(ask: Callable[[], Any], key: str, value: str) -> Any:
    """Ask until what is answered has this value; return it."""

    def there() -> Any:
        answer = ask()
        return answer if answer[key] == value else None

    return eventually(there)
