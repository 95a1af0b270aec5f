"""The service behind a real nginx with the configuration of `deploy/nginx/`: only ports differ."""

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.certificates import Certificate, make_certificate
from tests.events.listening import event_of
from tests.service import (
    EMAIL,
    PASSWORD,
    ROOT,
    Service,
    eventually,
    free_port,
    running_service,
)
from tests.worker.drives import clone, finished

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = [
    pytest.mark.worker,
    pytest.mark.skipif(NGINX is None, reason="there is no nginx on this machine"),
]
MIB = 1024**2
MAIN = """
daemon off;
pid {home}/nginx.pid;
error_log stderr warn;
{user}
events {{}}
http {{
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    include {home}/cloudjobs.conf;
}}
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def web_service(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("behind")
    with running_service(home, worker_id, workers=1, with_pages=True, TLS="proxy") as running:
        running.start_events()
        yield running


@pytest.fixture(scope="module")
def nginx_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def front(
    web_service: Service, certificate: Certificate, nginx_home: Path
) -> Iterator[httpx.Client]:
    """A client of nginx that trusts its certificate; it has no login."""
    with ExitStack() as stack:
        nginx, address = started(nginx_home, web_service, certificate)
        stack.callback(nginx.wait)
        stack.callback(nginx.terminate)
        trust = ssl.create_default_context(cafile=certificate.authority)
        client = stack.enter_context(httpx.Client(base_url=address, verify=trust, timeout=30))
        eventually(lambda: client.get("/healthz").status_code == 200)
        yield client


def started(
    home: Path, service: Service, certificate: Certificate
) -> tuple[subprocess.Popen[bytes], str]:
    """Start nginx with our configuration, moved to free ports of the loopback interface."""
    plain, secure = free_port(), free_port()
    moved = {
        r"listen \[::\].*\n": "\n",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
        "/etc/ssl/cloudjobs/fullchain.pem": str(certificate.certificate),
        "/etc/ssl/cloudjobs/privkey.pem": str(certificate.key),
        "/var/log/nginx": str(home),
        "127.0.0.1:8000": str(httpx.URL(service.url).netloc, "ascii"),
        "127.0.0.1:8001": str(httpx.URL(service.events_url).netloc, "ascii"),
        "cloud.example.com": "127.0.0.1",
    }
    text = (ROOT / "deploy/nginx/cloudjobs.conf").read_text()
    for pattern, there in moved.items():
        text, count = re.subn(pattern, there, text)
        assert count, pattern
    (home / "cloudjobs.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    (home / "nginx.conf").write_text(MAIN.format(home=home, user=user))
    command = [str(NGINX), "-p", str(home), "-c", str(home / "nginx.conf"), "-e", "stderr"]
    return subprocess.Popen(command), f"https://127.0.0.1:{secure}"


@pytest.fixture
def api(front: httpx.Client, certificate: Certificate) -> Iterator[httpx.Client]:
    trust = ssl.create_default_context(cafile=certificate.authority)
    base = front.base_url.join("/api/2.0")
    with httpx.Client(base_url=base, auth=(EMAIL, PASSWORD), verify=trust, timeout=60) as client:
        yield client


def test_person_logs_in_by_form(front: httpx.Client) -> None:
    page = front.get("/login/")
    assert page.headers["Strict-Transport-Security"] == "max-age=3600"
    (style,) = re.findall(r'href="(/static/css/base[^"]+)"', page.text)
    assert front.get(style).headers["Content-Type"] == 'text/css; charset="utf-8"'
    (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text))
    said = {"username": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": token}
    answer = front.post("/login/", data=said, headers={"Referer": str(page.url)})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert all("Secure" in cookie for cookie in answer.headers.get_list("Set-Cookie"))
    assert EMAIL in front.get("/").text


def test_image_goes_in_is_cloned_and_comes_out(api: httpx.Client) -> None:
    data = os.urandom(8 * MIB)
    sent = api.post(
        "/drives/upload/mine/", content=data, headers={"Content-Type": "application/octet-stream"}
    )
    assert sent.status_code == 200
    new = clone(api, sent.text)
    assert finished(api, new["jobs"][0]["uuid"])["state"] == "success"
    begin = {"Range": f"bytes=0-{len(data) - 1}"}
    assert api.get(f"/drives/{new['uuid']}/download/", headers=begin).content == data


def test_browser_hears_of_events(
    front: httpx.Client, api: httpx.Client, certificate: Certificate
) -> None:
    asked = api.post("/accounts/action/", params={"do": "authenticate_asynchronous"}, json={})
    assert "Secure" in asked.headers["Set-Cookie"]
    address = str(front.base_url.join("/websocket").copy_with(scheme="wss"))
    with connect(
        address,
        ssl=ssl.create_default_context(cafile=certificate.authority),
        origin=Origin(str(front.base_url).rstrip("/")),
        additional_headers={"Cookie": f"async_auth={asked.cookies['async_auth']}"},
    ) as listener:
        machine = {"name": "heard", "cpu": 1000, "mem": 256 * MIB, "vnc_password": "x"}
        (server,) = api.post("/servers/", json=machine).json()["objects"]
        assert event_of(listener, server["resource_uri"], name="heard")


def test_service_knows_its_public_address(api: httpx.Client) -> None:
    (location,) = api.get("/locations/").json()["objects"]
    assert location["api_endpoint"] == str(api.base_url)


def test_what_is_no_image_is_small(front: httpx.Client) -> None:
    sent = front.post("/api/2.0/drives/", content=b" " * (5 * MIB))
    assert sent.status_code == 413


def test_queries_are_not_logged(front: httpx.Client, nginx_home: Path) -> None:
    front.get("/login/?link=a-secret-link")
    log = nginx_home / "cloudjobs.log"
    eventually(lambda: log.read_text().count(" GET /login/ "))
    assert "a-secret-link" not in log.read_text()


def test_reasons_of_readyz_are_not_for_everyone(front: httpx.Client, web_service: Service) -> None:
    assert front.get("/readyz").status_code == 404
    assert httpx.get(f"{web_service.url}/readyz").status_code == 200


def test_clients_that_send_nothing_hold_nobody_up(
    front: httpx.Client, certificate: Certificate
) -> None:
    """The web server alone would have given each of them a thread, and soon had none left."""
    trust = ssl.create_default_context(cafile=certificate.authority)
    promise = (
        b"POST /api/2.0/accounts/action/?do=login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    with ExitStack() as stack:
        for _ in range(60):
            raw = socket.create_connection((front.base_url.host, front.base_url.port))
            silent = stack.enter_context(trust.wrap_socket(raw, server_hostname="127.0.0.1"))
            silent.sendall(promise)
        assert front.get("/healthz", timeout=5).status_code == 200
